import type {
  FileInventory,
  FileStorage,
  FoundBytes,
  IncomingFile,
  OpenedBytes,
  StoredFile,
} from '@verdant-web/core';
import { R2FileStorage } from '../r2-file-storage.js';
import { type Call, encoded, resultOf } from './call.js';
import { framed } from './framed-body.js';

type OpenedThere = Pick<OpenedBytes, 'size' | 'modifiedAt' | 'version'> & { held: number };

/** The `R2FileStorage` of a Durable Object of the kit worker. Its files lie below `<name>/` in the bucket. */
export class RemoteFileStorage implements FileStorage {
  readonly #url: string;
  readonly inventory: FileInventory;

  constructor(base: string, name: string) {
    this.#url = `${base}/file-storages/${name}`;
    this.inventory = {
      keyOf: keysOf(`${name}/`),
      list: () => this.#list(),
      remove: (found) => this.#call('remove', [found]),
    };
  }

  async put(file: IncomingFile, body: ReadableStream<Uint8Array>): Promise<void> {
    const init = { method: 'POST', body: streamOf(framed(file, body)), duplex: 'half' };
    return resultOf(await fetch(`${this.#url}/put`, init as RequestInit));
  }

  getUrl(file: StoredFile): Promise<string> {
    return this.#call('getUrl', [file]);
  }

  delete(file: StoredFile): Promise<void> {
    return this.#call('delete', [file]);
  }

  async open(file: StoredFile): Promise<OpenedBytes | null> {
    const opened = await this.#call<OpenedThere | null>('open', [file]);
    if (!opened) return null;
    const { held, ...described } = opened;
    return {
      ...described,
      read: (range) => streamOf(this.#read(held, range)),
      close: () => this.#call('close', [], held),
    };
  }

  async *#read(held: number, range?: { from: number; to: number }): AsyncGenerator<Uint8Array> {
    const { body } = await this.#send({ on: held, method: 'read', args: range ? [range] : [] });
    if (body) yield* body;
  }

  async *#list(): AsyncGenerator<FoundBytes> {
    yield* await this.#call<FoundBytes[]>('list', []);
  }

  async #call<Result>(method: string, args: unknown[], on: number | null = null): Promise<Result> {
    return resultOf(await this.#send({ on, method, args }));
  }

  #send(call: Call): Promise<Response> {
    return fetch(this.#url, { method: 'POST', body: encoded(call) });
  }
}

/** Keys are asked for without waiting, so they are made here, by the same class. */
function keysOf(prefix: string): FileInventory['keyOf'] {
  const nowhere = { put: () => Promise.reject(new Error('Only keys are asked for.')) };
  const storage = new R2FileStorage({ bucket: nowhere as never, host: 'http://nowhere.test', prefix });
  return (file) => storage.inventory.keyOf(file);
}

/** Asks for the next chunk when it is wanted. */
const streamOf = (chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => void (await chunks.return(undefined)),
    },
    { highWaterMark: 0 },
  );
