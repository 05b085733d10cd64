import type { LibraryStorage, StagedRows, StageId, Storage, StorageLimits } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { type Call, encoded, type Held, type Iterated, resultOf } from './call.js';
import { post } from './post.js';

/** A Durable Object of the kit worker that a storage is in. */
export class RemoteStorageObject {
  readonly #url: string;

  constructor(base: string, name: string) {
    this.#url = `${base}/storages/${name}`;
  }

  /** A new storage over what the object holds. The one before is closed. */
  async reopen(): Promise<Storage> {
    const { limits, ...held } = await this.#itself.call<Held & { limits: StorageLimits }>('reopen');
    return remoteStorage(new Remote(this.#url, held), limits);
  }

  /** Removes all that the object holds. */
  async remove(): Promise<void> {
    await this.#itself.call('remove');
  }

  /** Runs SQL past the storage. */
  sql(text: string): Promise<Record<string, unknown>[]> {
    return this.#itself.call('sql', [text]);
  }

  databaseBytes(): Promise<number> {
    return this.#itself.call('databaseBytes');
  }

  /** The object is thrown out of memory. */
  async die(): Promise<void> {
    await this.#itself.call('die').catch(() => {});
  }

  get #itself(): Remote {
    return new Remote(this.#url, { held: null, has: [] });
  }
}

/** Something that is called in the worker. */
class Remote {
  readonly #url: string;
  readonly #on: number | null;
  readonly #has: readonly string[];

  constructor(url: string, { held, has }: Omit<Held, 'held'> & { held: number | null }) {
    this.#url = url;
    this.#on = held;
    this.#has = has;
  }

  has(method: string): boolean {
    return this.#has.includes(method);
  }

  async call<Result>(method: string, args: unknown[] = []): Promise<Result> {
    return resultOf(await post(this.#url, encoded({ on: this.#on, method, args } satisfies Call)));
  }

  /** Calls a method for something that is called in turn. */
  async reach(method: string, args: unknown[] = []): Promise<Remote> {
    return this.#beside(await this.call<Held>(method, args));
  }

  /** What a method gives one by one. Nothing is asked for before it is wanted, and it hears where no more is. */
  async *iterate<Item>(method: string, args: unknown[]): AsyncGenerator<Item, void> {
    const { first, rest } = await this.call<Iterated<Item>>(method, args);
    const iterator = rest && this.#beside(rest);
    let next = first;
    let isWanted = false;
    try {
      while (iterator && !next.done) {
        yield next.value;
        isWanted = true;
        next = await iterator.call('next');
        isWanted = false;
      }
    } finally {
      // Neither over nor failed: the reader has left.
      if (iterator && !next.done && !isWanted) await iterator.call('return');
    }
  }

  #beside(held: Held): Remote {
    return new Remote(this.#url, held);
  }
}

function remoteStorage(remote: Remote, limits: StorageLimits): Storage {
  return {
    limits,
    open: async (id) => remoteLibrary(await remote.reach('open', [id])),
    list: (after?: LibraryId) => remote.iterate('list', after === undefined ? [] : [after]),
    readRevocations: () => remote.call('readRevocations'),
    putRevocation: (row) => remote.call('putRevocation', [row]),
    close: () => remote.call('close'),
  };
}

function remoteLibrary(remote: Remote): LibraryStorage {
  return {
    load: (...args) => remote.call('load', args),
    lookup: (...args) => remote.call('lookup', args),
    commit: (...args) => remote.call('commit', args),
    stage: (pages) => stage(remote, pages),
    discardStage: (...args) => remote.call('discardStage', args),
    evict: (...args) => remote.call('evict', args),
    reclaim: (...args) => remote.call('reclaim', args),
    readDocument: (...args) => remote.call('readDocument', args),
    readBaselines: (...args) => remote.iterate('readBaselines', args),
    ...(remote.has('readBaselineTexts') && {
      readBaselineTexts: (...args) => remote.iterate('readBaselineTexts', args),
    }),
    readOperations: (...args) => remote.iterate('readOperations', args),
    ...(remote.has('readOperationTexts') && {
      readOperationTexts: (...args) => remote.iterate('readOperationTexts', args),
    }),
    earliestAfter: (...args) => remote.call('earliestAfter', args),
    foldable: (...args) => remote.call('foldable', args),
    readFile: (...args) => remote.call('readFile', args),
    readFiles: (...args) => remote.iterate('readFiles', args),
    expiredFiles: (...args) => remote.call('expiredFiles', args),
    evictedFiles: (...args) => remote.call('evictedFiles', args),
    forgetEvictedFiles: (...args) => remote.call('forgetEvictedFiles', args),
    readReplicas: (...args) => remote.call('readReplicas', args),
    close: (...args) => remote.call('close', args),
  } satisfies LibraryStorage;
}

/** Page by page. Where they break off, the library hears that they did, and tells it. */
async function stage(library: Remote, pages: AsyncIterable<StagedRows>): Promise<StageId> {
  const staging = await library.reach('stage');
  const iterator = pages[Symbol.asyncIterator]();
  for (;;) {
    let page: IteratorResult<StagedRows>;
    try {
      page = await iterator.next();
    } catch (error) {
      return staging.call('fail', [(error as Error).message]);
    }
    if (page.done) return staging.call('end');
    try {
      await staging.call('page', [page.value]);
    } catch (error) {
      await iterator.return?.();
      throw error;
    }
  }
}
