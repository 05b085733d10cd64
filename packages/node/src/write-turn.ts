import type { Writable } from 'node:stream';

/**
 * What is sent in one turn of the event loop. All that one connection is sent leaves in one write, and a text that goes
 * to many, which is handed over once for each of them in a row, is encoded once.
 */
export class WriteTurn {
  readonly #corked: Writable[] = [];
  #text = '';
  #bytes = NOTHING;

  /** Holds back what is written to the connection until the turn ends. */
  hold(connection: Writable): void {
    if (connection.writableCorked > 0) return;
    if (this.#corked.length === 0) process.nextTick(() => this.#end());
    this.#corked.push(connection);
    connection.cork();
  }

  encode(text: string): Buffer {
    if (text === this.#text) return this.#bytes;
    this.#text = text;
    this.#bytes = Buffer.from(text);
    return this.#bytes;
  }

  #end(): void {
    this.#text = '';
    this.#bytes = NOTHING;
    for (const connection of this.#corked.splice(0)) connection.uncork();
  }
}

const NOTHING = Buffer.alloc(0);
