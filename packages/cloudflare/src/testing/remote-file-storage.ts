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
import { framed, streamOf, unframed } from './framed-body.js';
import { post } from './post.js';

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

  /** Puts so many empty objects into the bucket, past the storage. */
  fill(count: number): Promise<void> {
    return this.#call('fill', [count]);
  }

  async put(file: IncomingFile, body: ReadableStream<Uint8Array>): Promise<void> {
    const init = { method: 'POST', body: streamOf(framed(file, body)), duplex: 'half' };
    const answer = await fetch(`${this.#url}/put`, init as RequestInit);
    return resultOf(await answer.text());
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
    const call = { on: held, method: 'read', args: range ? [range] : [] } satisfies Call;
    const answer = await fetch(this.#url, { method: 'POST', body: encoded(call) });
    const { body, frames } = await unframed(answer.body!);
    try {
      yield* body;
    } finally {
      await frames.return(undefined);
    }
  }

  async *#list(): AsyncGenerator<FoundBytes> {
    yield* await this.#call<FoundBytes[]>('list', []);
  }

  async #call<Result>(method: string, args: unknown[], on: number | null = null): Promise<Result> {
    return resultOf(await post(this.#url, encoded({ on, method, args } satisfies Call)));
  }
}

/** Keys are asked for without waiting, so they are made here, by the same class. */
function keysOf(prefix: string): FileInventory['keyOf'] {
  const nowhere = { put: () => Promise.reject(new Error('Only keys are asked for.')) };
  const storage = new R2FileStorage({ bucket: nowhere as never, host: 'http://nowhere.test', prefix });
  return (file) => storage.inventory.keyOf(file);
}
