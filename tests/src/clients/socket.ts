import { WebSocket as NodeSocket } from 'ws';
import type { Network } from './browser.js';
import type { Wire } from './wire-log.js';

/** That of the page, as `createBrowser` has it; browsers send it with each upgrade. */
export const ORIGIN = 'http://localhost';

/** How long a browser without network takes to say so; at 0 the 3.x client would fill the processor with attempts. */
const OFFLINE_FAILURE_MS = 30;

/**
 * A browser's `WebSocket` on the network of one tab. Not a subclass of ws's: that one throws an `error` that nobody
 * listens to, as the clients do not once they have stopped, and it knows no lost network.
 */
export function createSocketClass(network: Network, wire: Wire) {
  return class BrowserSocket extends EventTarget {
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSING = 2;
    static readonly CLOSED = 3;

    readyState = 0;
    #socket: NodeSocket | undefined;

    constructor(url: string, protocols: string[]) {
      super();
      wire.sockets++;
      if (!network.online) {
        setTimeout(() => this.#fail(), OFFLINE_FAILURE_MS);
        return;
      }
      const socket = new NodeSocket(url, protocols, { origin: ORIGIN });
      this.#socket = socket;
      const { cut } = network;
      const onCut = () => {
        // As when the cable is pulled: the client hears of it, the server gets no closing handshake.
        socket.terminate();
        this.#close(1006, '');
      };
      cut.addEventListener('abort', onCut, { once: true });
      socket.on('open', () => {
        this.readyState = 1;
        this.#tell(new Event('open'));
      });
      socket.on('message', (data, isBinary) => {
        if (this.readyState === 3) return;
        const text = String(data);
        if (!isBinary) wire.frame('received', text);
        this.#tell(new MessageEvent('message', { data: text }));
      });
      socket.on('unexpected-response', (_request, response) => {
        wire.refusal(response.statusCode ?? 0);
        response.resume();
        // ws leaves the socket to whoever listens here.
        socket.terminate();
      });
      socket.on('error', () => {
        if (this.readyState !== 3) this.#tell(new Event('error'));
      });
      socket.on('close', (code, reason) => {
        cut.removeEventListener('abort', onCut);
        this.#close(code, String(reason));
      });
    }

    send(text: string): void {
      if (this.readyState !== 1) throw new Error('InvalidStateError');
      wire.frame('sent', text);
      this.#socket?.send(text);
    }

    close(): void {
      if (this.readyState === 3) return;
      this.readyState = 2;
      this.#socket?.close();
    }

    #fail(): void {
      this.#tell(new Event('error'));
      this.#close(1006, '');
    }

    #close(code: number, reason: string): void {
      if (this.readyState === 3) return;
      this.readyState = 3;
      this.#tell(Object.assign(new Event('close'), { code, reason, wasClean: code !== 1006 }));
    }

    #tell(event: Event): void {
      if (!network.destroyed) this.dispatchEvent(event);
    }
  };
}
