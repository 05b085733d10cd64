import type { SocketSession, SocketTransport } from '@verdant-web/core';
import type { ObjectSocket } from './platform.js';

/** So much is kept for a session that reads no faster, in UTF-16 units; the runtime cannot be told to stop reading. */
const MAX_HELD_LENGTH = 32 * 1024 * 1024;

/** A socket of a Durable Object, as the engine wants it. */
export class ObjectSocketTransport implements SocketTransport {
  /** The runtime takes everything at once, and does not say how much of it has left. */
  readonly bufferedBytes = 0;
  readonly #socket: ObjectSocket;
  #session: SocketSession | null = null;
  #isPaused = false;
  #held: string[] = [];
  #heldLength = 0;

  constructor(socket: ObjectSocket) {
    this.#socket = socket;
  }

  /** Hands what arrives to this session. */
  connect(session: SocketSession): void {
    this.#session = session;
  }

  get session(): SocketSession | null {
    return this.#session;
  }

  /** Whether something has arrived that the session has not taken yet. */
  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** A text frame arrived. */
  receive(text: string): void {
    if (!this.#isPaused) {
      this.#session?.receive(text);
      return;
    }
    this.#held.push(text);
    this.#heldLength += text.length;
    if (this.#heldLength <= MAX_HELD_LENGTH) return;
    this.#letGo();
    this.#session?.closed(false);
    this.close(1013, 'This client sends more than is worked off. Send this again later.');
  }

  send(text: string): void {
    try {
      this.#socket.send(text);
    } catch {
      // It is gone; `webSocketClose` says so.
    }
  }

  async stream(pieces: AsyncIterable<string>): Promise<void> {
    try {
      // A message is one string here, whatever its length: there is no way to send it in parts.
      let text = '';
      for await (const piece of pieces) text += piece;
      this.#socket.send(text);
    } catch (error) {
      this.#session?.closed(false);
      this.close(1011, 'The answer could not be sent. Sync again.');
      throw error;
    }
  }

  close(code: number, reason: string): void {
    this.#letGo();
    try {
      // Should the object leave memory before the other side has answered, the socket is not taken up again.
      this.#socket.serializeAttachment(null);
      this.#socket.close(code, shorten(reason));
    } catch {
      // It is closed already.
    }
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (this.#held.length > 0 && !this.#isPaused) {
      const text = this.#held.shift()!;
      this.#heldLength -= text.length;
      this.#session?.receive(text);
    }
  }

  #letGo(): void {
    this.#held = [];
    this.#heldLength = 0;
  }
}

/** A close frame has room for 123 bytes of reason. Ours are plain ASCII. */
const shorten = (reason: string): string => {
  let end = reason.length;
  while (new TextEncoder().encode(reason.slice(0, end)).length > 123) end--;
  return reason.slice(0, end);
};
