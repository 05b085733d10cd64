import type { SocketTransport } from '../transport.js';
import { wholeWhenShort } from './pieces.js';

/**
 * What leaves on one socket, in order.
 *
 * While a long reply is streamed, what is sent later waits behind it. A reader that falls behind by more than
 * `maxBytes` is dropped, by `overflow`, rather than buffered without bound.
 */
export class Outbox {
  readonly #transport: SocketTransport;
  readonly #maxBytes: number;
  readonly #overflow: () => void;
  #waiting: (string | AsyncIterable<string>)[] = [];
  #waitingBytes = 0;
  #streaming = false;
  #closed = false;

  constructor(transport: SocketTransport, options: { maxBytes: number; overflow: () => void }) {
    this.#transport = transport;
    this.#maxBytes = options.maxBytes;
    this.#overflow = options.overflow;
  }

  /** What the other side has not taken yet, but for a message that is being streamed. */
  get unsentBytes(): number {
    return this.#waitingBytes + (this.#streaming ? 0 : this.#transport.bufferedBytes);
  }

  /** Send one message. */
  send(text: string): void {
    if (this.#closed) return;
    if (this.#streaming) {
      this.#waitingBytes += text.length;
      this.#waiting.push(text);
    } else {
      this.#transport.send(text);
    }
    if (this.unsentBytes > this.#maxBytes) {
      this.close();
      this.#overflow();
    }
  }

  /** Send one message in pieces. Everything that is sent afterwards waits until it has left. */
  stream(pieces: AsyncIterable<string>): void {
    if (this.#closed) void stop(pieces);
    else if (this.#streaming) this.#waiting.push(pieces);
    else void this.#run(pieces);
  }

  /** Nothing leaves any more. */
  close(): void {
    this.#closed = true;
    for (const item of this.#waiting) if (typeof item !== 'string') void stop(item);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  async #run(pieces: AsyncIterable<string>): Promise<void> {
    this.#streaming = true;
    try {
      const message = await wholeWhenShort(pieces);
      if (this.#closed) await stop(message);
      else if (typeof message === 'string') this.#transport.send(message);
      else await this.#transport.stream(message);
    } catch {
      // The transport has closed the socket, or it was gone already: the client connects again and syncs.
      this.close();
    }
    this.#streaming = false;
    while (this.#waiting.length > 0 && !this.#streaming) {
      const next = this.#waiting.shift()!;
      if (typeof next === 'string') {
        this.#waitingBytes -= next.length;
        this.#transport.send(next);
      } else void this.#run(next);
    }
  }
}

/** Let go of what the source of a message holds. */
const stop = async (message: string | AsyncIterable<string>): Promise<void> => {
  if (typeof message !== 'string') await message[Symbol.asyncIterator]().return?.();
};
