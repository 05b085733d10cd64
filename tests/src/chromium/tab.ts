// Runs in a page, before the published bundle of a client: what that one sends and receives is written down.
import type { Verdant } from '../clients/bundle.js';
import { type Driver, type DriverOptions, openDriver } from '../clients/driver.js';
import { Wire } from '../clients/wire-log.js';

declare global {
  interface Window {
    Verdant: Verdant;
    /** Opens the page's client. */
    openTab(options: DriverOptions): Promise<void>;
    /** Calls a method of its driver. */
    callDriver(method: string, args: unknown[]): Promise<unknown>;
  }
}

const wire = new Wire();
window.fetch = loggingFetch(window.fetch.bind(window));
window.WebSocket = loggingSocket(window.WebSocket);

let driver: Driver | undefined;
window.openTab = async (options) => {
  const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  ({ driver } = await openDriver(window.Verdant, options, {
    fetch: window.fetch,
    wire,
    pause,
    focus: () => void document.dispatchEvent(new Event('visibilitychange')),
  }));
};
window.callDriver = (method, args) =>
  (driver as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[method]!(...args);

function loggingFetch(plainFetch: typeof fetch): typeof fetch {
  return async (input, init) => {
    wire.request(init?.body);
    wire.underWay++;
    const response = await plainFetch(input, init).finally(() => wire.underWay--);
    if (response.ok) {
      await response
        .clone()
        .json()
        .then(
          (body) => wire.response(body),
          () => {}, // a file, or cut off: nothing for the log
        );
    } else {
      wire.refusal(response.status);
    }
    return response;
  };
}

function loggingSocket(PlainSocket: typeof WebSocket): typeof WebSocket {
  return class extends PlainSocket {
    #opened = false;

    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      wire.sockets++;
      this.addEventListener('open', () => {
        this.#opened = true;
      });
      this.addEventListener('message', ({ data }) => wire.frame('received', data));
      this.addEventListener('close', () => {
        // A page is not told the status.
        if (!this.#opened) wire.refusal(0);
      });
    }

    override send(text: string): void {
      wire.frame('sent', text);
      super.send(text);
    }
  };
}
