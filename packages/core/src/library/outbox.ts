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
  readonly #failed: (error: unknown) => void;
  #waiting: (string | AsyncIterable<string>)[] = [];
  #waitingBytes = 0;
  #streaming = false;
  #closed = false;

  /** `failed`: a message could not be made, and nothing of it was sent. */
  constructor(
    transport: SocketTransport,
    options: { maxBytes: number; overflow: () => void; failed: (error: unknown) => void },
  ) {
    this.#transport = transport;
    this.#maxBytes = options.maxBytes;
    this.#overflow = options.overflow;
    this.#failed = options.failed;
  }

  /** What the other side has not taken yet, but for a message that is being streamed. */
  get unsentBytes(): number {
    return this.#waitingBytes + (this.#streaming ? 0 : this.#transport.bufferedBytes);
  }

  /** Whether a message has left in part, or waits. */
  get isSending(): boolean {
    return this.#streaming;
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

  /** Null: it failed before anything left. */
  async #begin(pieces: AsyncIterable<string>): Promise<string | AsyncIterable<string> | null> {
    try {
      return await wholeWhenShort(pieces);
    } catch (error) {
      const wasClosed = this.#closed;
      this.close();
      // The transport knows nothing of it: the socket would stay open, and its client wait.
      if (!wasClosed) this.#failed(error);
      return null;
    }
  }

  async #run(pieces: AsyncIterable<string>): Promise<void> {
    this.#streaming = true;
    try {
      const message = await this.#begin(pieces);
      if (message === null) return;
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
