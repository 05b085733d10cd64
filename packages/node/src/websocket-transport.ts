import type { Duplex } from 'node:stream';
import type { SocketTransport } from '@verdant-web/core';
import { closeReason } from './close-reason.js';
import type { HeldWebSocket } from './held-websocket.js';
import { WriteTurn } from './write-turn.js';

/**
 * The engine's way to one WebSocket.
 *
 * Messages leave in the order in which they were handed over: while one is streamed in fragments, those behind it wait
 * here. Made before the handshake is done, so that a connection that the engine refuses is never upgraded.
 */
export class WebSocketTransport implements SocketTransport {
  /** Beneath the socket. */
  readonly #connection: Duplex;
  #socket: HeldWebSocket | undefined;
  #closing = false;
  /** A close that was asked for before the handshake was done. */
  #closeWhenAttached: (() => void) | undefined;
  #streaming = false;
  readonly #waiting: (string | (() => void))[] = [];
  #waitingBytes = 0;
  #pausedByEngine = false;
  #pausedForOthers = false;
  #gone: () => void = () => {};
  /** Resolves when the socket is gone, so that no stream waits for it for ever. */
  readonly #whenGone = new Promise<void>((resolve) => {
    this.#gone = resolve;
  });

  constructor(connection: Duplex) {
    this.#connection = connection;
  }

  /** The handshake is done: what was handed over so far leaves. */
  attach(socket: HeldWebSocket): void {
    this.#socket = socket;
    socket.once('close', () => this.#end());
    this.#closeWhenAttached?.();
    this.#sendWaiting();
    this.#applyPause();
  }

  /** There will be no handshake. */
  abandon(): void {
    this.#end();
  }

  send(text: string): void {
    if (this.#closing) return;
    if (this.#socket && !this.#streaming) this.#sendWhole(this.#socket, text);
    else this.#wait(text);
  }

  async stream(pieces: AsyncIterable<string>): Promise<void> {
    await this.#turn();
    try {
      await this.#sendFragments(pieces);
    } catch (error) {
      // Half a message was sent; nothing that follows would make sense to the other side.
      this.close(1011, 'A reply could not be sent in full');
      throw error;
    } finally {
      this.#streaming = false;
      this.#sendWaiting();
    }
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#dropWaiting();
    this.#closeWhenAttached = () => {
      // Its answer to the close has to be read.
      this.#socket?.resume();
      this.#socket?.closeNow(code, closeReason(reason));
    };
    if (this.#socket) this.#closeWhenAttached();
  }

  pause(): void {
    this.#pausedByEngine = true;
    this.#applyPause();
  }

  resume(): void {
    this.#pausedByEngine = false;
    this.#applyPause();
  }

  get bufferedBytes(): number {
    return (this.#socket?.bufferedAmount ?? 0) + this.#waitingBytes;
  }

  /** Whether the socket is not read because the engine has enough to do with what came. */
  get isPaused(): boolean {
    return this.#pausedByEngine;
  }

  /** Stop reading until other sockets have had their turn. */
  yieldToOthers(): void {
    if (this.#pausedForOthers) return;
    this.#pausedForOthers = true;
    this.#applyPause();
    setImmediate(() => {
      this.#pausedForOthers = false;
      this.#applyPause();
    });
  }

  #sendWhole(socket: HeldWebSocket, text: string): void {
    turn.hold(this.#connection);
    socket.send(turn.encode(text), TEXT, ignoreFailure);
  }

  #applyPause(): void {
    if (!this.#socket || this.#closing) return;
    if (this.#pausedByEngine || this.#pausedForOthers) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Resolves when this stream is the one to be sent. Until then, and from then on, others wait. */
  #turn(): Promise<void> | undefined {
    if (this.#socket && !this.#streaming) {
      this.#streaming = true;
      return undefined;
    }
    return new Promise((resolve) => {
      if (this.#closing) resolve();
      else this.#wait(resolve);
    });
  }

  async #sendFragments(pieces: AsyncIterable<string>): Promise<void> {
    let fragment = '';
    for await (const piece of pieces) {
      fragment += piece;
      if (fragment.length < FRAGMENT_LENGTH) continue;
      await this.#sendFragment(fragment, false);
      fragment = '';
    }
    await this.#sendFragment(fragment, true);
  }

  /** Resolves when the socket can take more. */
  async #sendFragment(text: string, fin: boolean): Promise<void> {
    const socket = this.#socket;
    if (this.#closing || !socket) throw new Error('The socket is closed.');
    const taken = new Promise<void>((resolve, reject) => {
      socket.send(text, { fin, compress: false }, (error) => (error ? reject(error) : resolve()));
    });
    if (socket.bufferedAmount <= MAX_UNSENT_BYTES) {
      taken.catch(() => {});
      return;
    }
    await Promise.race([taken, this.#whenGone]);
    if (this.#closing) throw new Error('The socket is closed.');
  }

  #wait(entry: string | (() => void)): void {
    this.#waiting.push(entry);
    if (typeof entry === 'string') this.#waitingBytes += Buffer.byteLength(entry);
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0 && !this.#streaming) {
      const next = this.#waiting.shift()!;
      if (typeof next === 'string') {
        this.#waitingBytes -= Buffer.byteLength(next);
        if (this.#socket) this.#sendWhole(this.#socket, next);
      } else {
        this.#streaming = true;
        next();
      }
    }
  }

  #dropWaiting(): void {
    this.#waitingBytes = 0;
    // Streams that wait are let go on, and then find the socket closed.
    for (const entry of this.#waiting.splice(0)) if (typeof entry === 'function') entry();
  }

  #end(): void {
    this.#closing = true;
    this.#gone();
    this.#dropWaiting();
  }
}

const turn = new WriteTurn();

const TEXT = { binary: false };

/**
 * Least length of a fragment but the last. Short ones would cost a write each, and some clients refuse a message of
 * more than 16,384 fragments.
 */
const FRAGMENT_LENGTH = 64 * 1024;

/** A stream waits while more than this has not left: enough to keep the network busy, little to hold. */
const MAX_UNSENT_BYTES = 256 * 1024;

/** The socket's own events tell of it. */
const ignoreFailure = () => {};
