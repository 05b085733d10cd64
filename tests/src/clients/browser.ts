import { setMaxListeners } from 'node:events';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { TabAbortController } from './abort-controller.js';
import { FileReaderShim } from './file-reader.js';
import { createLocalStorage } from './local-storage.js';
import { createSocketClass, ORIGIN } from './socket.js';
import { Wire } from './wire-log.js';

/** What survives the closing of a tab: give it to the next one, and it is the same device again. */
export interface Device {
  readonly indexedDB: IDBFactory;
  readonly localStorage: Storage;
}

export const createDevice = (): Device => ({
  indexedDB: new IDBFactory(),
  localStorage: createLocalStorage(),
});

/**
 * The part of a browser tab that the client bundles touch. Each client gets its own, so that several of them in one
 * process share neither storage nor network, and one can lose its network, or its life, without the others.
 */
export interface Browser {
  /** The free variables of a script that runs in this tab. */
  readonly globals: Readonly<Record<string, unknown>>;
  readonly window: EventTarget & Record<string, unknown>;
  readonly fetch: typeof fetch;
  /** Every sync message that went over either transport. */
  readonly wire: Wire;
  readonly online: boolean;
  /** Pulls the plug: open sockets end without a closing handshake, requests fail. */
  goOffline(): void;
  goOnline(): void;
  /** The user comes back to the tab, on which clients poll at once. */
  focus(): void;
  /** The tab is gone: no timer fires, no request answers, sockets are cut. */
  destroy(): void;
}

export function createBrowser(device: Device): Browser {
  const wire = new Wire();
  const network = new Network();
  const timers = createTimers();
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const browserFetch = createFetch(network, wire);
  const WebSocket = createSocketClass(network, wire);
  // A second tab asks for a new database version; with one tab a device it never comes to that.
  const location = { href: `${ORIGIN}/`, origin: ORIGIN, search: '', reload: () => {} };
  const navigator = { userAgent: 'node', onLine: true };

  const shared: Record<string, unknown> = {
    AbortController: TabAbortController,
    WebSocket,
    fetch: browserFetch,
    indexedDB: device.indexedDB,
    IDBKeyRange,
    FileReader: FileReaderShim,
    localStorage: device.localStorage,
    navigator,
    location,
    history: { replaceState: () => {} },
    document,
    crypto: globalThis.crypto,
    FormData,
    File,
    Blob,
    ...timers.globals,
  };
  const window = Object.assign(new EventTarget(), shared, { atob, btoa, URL, URLSearchParams });
  const globals = { ...shared, window, self: window, module: { exports: {} } };

  return {
    globals,
    window,
    fetch: browserFetch,
    wire,
    get online() {
      return network.online;
    },
    goOffline: () => network.set(false),
    goOnline: () => network.set(true),
    focus: () => void document.dispatchEvent(new Event('visibilitychange')),
    destroy: () => {
      timers.clear();
      network.destroy();
    },
  };
}

/** Tells everything that is connected when the plug is pulled. */
export class Network {
  online = true;
  destroyed = false;
  #cut = endlessController();

  /** Aborted the next time that the network goes. */
  get cut(): AbortSignal {
    return this.#cut.signal;
  }

  set(online: boolean): void {
    if (this.destroyed || this.online === online) return;
    this.online = online;
    if (online) this.#cut = endlessController();
    else this.#cut.abort();
  }

  destroy(): void {
    this.destroyed = true;
    this.online = false;
    this.#cut.abort();
  }
}

/** Everything that goes over the network listens to one signal; Node takes more than ten for a leak. */
function endlessController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

function createFetch(network: Network, wire: Wire): typeof fetch {
  return async (input, init) => {
    if (network.destroyed) return new Promise(() => {});
    if (!network.online) throw new TypeError('Failed to fetch');
    wire.request(init?.body);
    const { cut } = network;
    wire.underWay++;
    try {
      const response = await fetch(input, { ...init, signal: cut });
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
    } catch (error) {
      // A closed tab hears of nothing any more.
      if (network.destroyed) return new Promise(() => {});
      throw error;
    } finally {
      wire.underWay--;
    }
  };
}

/** Timers that die with the tab. The clients leave some running for minutes after `close`. */
function createTimers() {
  const running = new Set<NodeJS.Timeout>();
  let dead = false;
  const start =
    (set: typeof setTimeout | typeof setInterval) =>
    (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      const timer = set(() => {
        if (set === setTimeout) running.delete(timer);
        run(...args);
      }, ms);
      if (dead) clearTimeout(timer);
      else running.add(timer);
      return timer;
    };
  const stop = (timer: NodeJS.Timeout | undefined | null) => {
    if (!timer) return;
    running.delete(timer);
    clearTimeout(timer);
  };
  return {
    globals: {
      setTimeout: start(setTimeout),
      setInterval: start(setInterval),
      clearTimeout: stop,
      clearInterval: stop,
    },
    clear: () => {
      dead = true;
      for (const timer of running) clearTimeout(timer);
      running.clear();
    },
  };
}
