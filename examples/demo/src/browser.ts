import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import type * as Verdant from '@verdant-web/store';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { WebSocket } from 'ws';

/**
 * Loads the client as a page does, from the bundle that it publishes as a script. Its modules can't be loaded by Node as
 * they are; an app's bundler has no trouble with them.
 */
export function loadVerdant(): typeof Verdant {
  for (const [name, value] of Object.entries(browserGlobals)) {
    // Not by assignment: some of them are read-only in later versions of Node.
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  const bundle = new URL('../node_modules/@verdant-web/store/dist/bundle/index.js', import.meta.url);
  runInThisContext(readFileSync(bundle, 'utf8'));
  return (globalThis as unknown as { Verdant: typeof Verdant }).Verdant;
}

/** A browser's socket. One of ws ends the process with an error that nobody listens to. */
class BrowserSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    this.on('error', () => {});
  }
}

/** The one method of a browser's `FileReader` that the client calls. */
class FileReader {
  result: ArrayBuffer | undefined;
  onload: (() => void) | undefined;
  onerror: ((error: unknown) => void) | undefined;

  readAsArrayBuffer(file: Blob): void {
    file.arrayBuffer().then(
      (bytes) => {
        this.result = bytes;
        this.onload?.();
      },
      (error) => this.onerror?.(error),
    );
  }
}

const page = new EventTarget();

/** What the client finds in a page, and not in Node 20. */
const browserGlobals = {
  window: globalThis,
  document: Object.assign(new EventTarget(), { visibilityState: 'visible' }),
  addEventListener: page.addEventListener.bind(page),
  removeEventListener: page.removeEventListener.bind(page),
  navigator: { userAgent: 'node' },
  indexedDB: new IDBFactory(),
  IDBKeyRange,
  FileReader,
  WebSocket: BrowserSocket,
  module: { exports: {} },
};
