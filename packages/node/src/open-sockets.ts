import type { Duplex } from 'node:stream';
import type { HeldWebSocket } from './held-websocket.js';

/** All that a handler has open, so that it can be closed. */
export class OpenSockets {
  readonly #websockets = new Set<HeldWebSocket>();
  /** Not upgraded: being looked at, or held before they are refused. */
  readonly #others = new Set<Duplex>();
  #whenEmpty: (() => void) | undefined;
  isClosed = false;

  addRaw(socket: Duplex): void {
    this.#others.add(socket);
    socket.once('close', () => this.#forget(this.#others, socket));
  }

  /** The raw socket below it need not be kept any more. */
  upgraded(socket: Duplex, websocket: HeldWebSocket): void {
    this.#others.delete(socket);
    this.#websockets.add(websocket);
    websocket.once('close', () => this.#forget(this.#websockets, websocket));
  }

  /** Asks the other sides to close, and cuts off those that have not within that time. */
  async close(timeoutMs: number): Promise<void> {
    this.isClosed = true;
    for (const socket of this.#others) socket.destroy();
    for (const websocket of this.#websockets) websocket.closeNow(1001, Buffer.from('The server is closing'));
    if (this.#isEmpty) return;
    const timer = setTimeout(() => {
      for (const websocket of this.#websockets) websocket.terminate();
    }, timeoutMs);
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    clearTimeout(timer);
  }

  get #isEmpty(): boolean {
    return this.#websockets.size === 0 && this.#others.size === 0;
  }

  #forget<T>(set: Set<T>, entry: T): void {
    set.delete(entry);
    if (this.#isEmpty) this.#whenEmpty?.();
  }
}
