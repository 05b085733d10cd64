import type {
  AccessRow,
  BaselineRow,
  LibraryChange,
  LibraryStorage,
  OperationRow,
  StagedRows,
  StageId,
  Storage,
} from '@verdant-web/core';
import type { Scope } from './virtual-time.js';

/** What happens to one commit, besides taking its time. */
export type CommitFault =
  | 'none'
  | 'fails before'
  | 'fails after'
  | 'conflicts'
  | 'crash before'
  | 'crash after';

export interface StorageFaults {
  /** How long one step of a call takes, in ms; null: no time at all. */
  pause(): number | null;
  commit(): CommitFault;
  /** Whether a read fails. */
  read(): boolean;
  /** How many rows the next page of a long read has at most, and how long it takes, in ms. */
  page(): { rows: number; takes: number };
  /** The process dies here. */
  crash(why: string): void;
}

/** Hears of what took effect. */
export interface StorageObserver {
  committed(change: Parameters<LibraryStorage['commit']>[0]): void;
  evicted(head: Parameters<LibraryStorage['evict']>[0]): void;
}

/**
 * A storage whose calls take virtual time before and after they have their effect, so that anything can happen in
 * between, and which fails now and then. Effects are those of `inner`, as atomic as they are there.
 */
export function faultyStorage(
  inner: Storage,
  process: Scope,
  faults: StorageFaults,
  observer: StorageObserver,
): Storage {
  const pause = async (): Promise<void> => {
    const ms = faults.pause();
    if (ms !== null) await process.sleep(ms);
    if (!process.isOpen) await never;
  };

  async function step<Result>(call: () => Promise<Result>): Promise<Result> {
    await pause();
    if (faults.read()) throw new Error('simulated: the storage could not be read');
    const result = await call();
    await pause();
    return result;
  }

  async function effect<Result>(
    call: () => Promise<Result>,
    effective: (result: Result) => void,
    otherWriter?: () => Promise<void>,
  ): Promise<Result> {
    await pause();
    const fault = faults.commit();
    if (fault === 'crash before') {
      faults.crash('before a commit took effect');
      await never;
    }
    if (fault === 'fails before') throw new Error('simulated: the commit failed');
    if (fault === 'conflicts') await otherWriter?.();
    const result = await call();
    effective(result);
    if (fault === 'crash after') {
      faults.crash('after a commit took effect');
      await never;
    }
    await pause();
    if (fault === 'fails after') throw new Error('simulated: the commit failed, or so it seemed');
    return result;
  }

  async function* inPages<Row>(pages: AsyncIterable<Row[]>): AsyncIterable<Row[]> {
    await pause();
    for await (const page of pages) {
      for (let at = 0; at < page.length; ) {
        const next = faults.page();
        const rows = page.slice(at, at + next.rows);
        at += rows.length;
        yield rows;
        await process.sleep(next.takes);
        if (faults.read()) throw new Error('simulated: the storage could not be read');
      }
    }
  }

  const staged = new Map<StageId, Required<StagedRows>>();

  /** Stages page by page, each of which may fail, and remembers what it was. */
  async function stage(library: LibraryStorage, pages: AsyncIterable<StagedRows>): Promise<StageId> {
    const rows = {
      operations: [] as OperationRow[],
      baselines: [] as BaselineRow[],
      access: [] as AccessRow[],
    };
    async function* watched(): AsyncIterable<StagedRows> {
      for await (const page of pages) {
        await pause();
        if (faults.read()) throw new Error('simulated: a page could not be staged');
        rows.operations.push(...(page.operations ?? []));
        rows.baselines.push(...(page.baselines ?? []));
        rows.access.push(...(page.access ?? []));
        yield page;
      }
    }
    const id = await step(() => library.stage(watched()));
    staged.set(id, rows);
    return id;
  }

  /** The change with what it adopts written out. */
  const written = (change: LibraryChange): LibraryChange => {
    const rows = change.adopt === undefined ? undefined : staged.get(change.adopt);
    if (!rows) return change;
    return {
      ...change,
      operations: [...rows.operations, ...(change.operations ?? [])],
      baselines: [...rows.baselines, ...(change.baselines ?? [])],
      access: [...rows.access, ...(change.access ?? [])],
    };
  };

  const wrap = (library: LibraryStorage): LibraryStorage => ({
    load: (activeSince) => step(() => library.load(activeSince)),
    lookup: (query) => step(() => library.lookup(query)),
    commit: (change) =>
      effect(
        () => library.commit(change),
        (result) => {
          if (result.ok) observer.committed(written(change));
        },
        () => moveHead(library, observer),
      ),
    stage: (pages) => stage(library, pages),
    discardStage: (id) => library.discardStage(id),
    evict: (head) =>
      effect(
        () => library.evict(head),
        () => observer.evicted(head),
      ),
    reclaim: (maxMs) => step(() => library.reclaim(maxMs)),
    readDocument: (root) => step(() => library.readDocument(root)),
    readBaselines: () => inPages(library.readBaselines()),
    readOperations: (after, through) => inPages(library.readOperations(after, through)),
    earliestAfter: (after) => step(() => library.earliestAfter(after)),
    foldable: (query) => step(() => library.foldable(query)),
    readFile: (id) => step(() => library.readFile(id)),
    readFiles: () => inPages(library.readFiles()),
    expiredFiles: (before, limit) => step(() => library.expiredFiles(before, limit)),
    evictedFiles: (limit) => step(() => library.evictedFiles(limit)),
    forgetEvictedFiles: (ids) => step(() => library.forgetEvictedFiles(ids)),
    readReplicas: () => step(() => library.readReplicas()),
    close: () => step(() => library.close()),
  });

  return {
    limits: inner.limits,
    open: async (id) => {
      await pause();
      if (faults.read()) throw new Error('simulated: the library could not be opened');
      return wrap(await inner.open(id));
    },
    list: (after) => inner.list(after),
    readRevocations: () => inner.readRevocations(),
    putRevocation: (row) => inner.putRevocation(row),
    close: () => inner.close(),
  };
}

/** What another writer does, a second server or a tool: whoever has read the library does not know it as it is any more. */
async function moveHead(library: LibraryStorage, observer: StorageObserver): Promise<void> {
  const loaded = await library.load(Number.MAX_SAFE_INTEGER);
  if (!loaded) return;
  const { head } = loaded;
  const change = {
    expect: { epoch: head.epoch, version: head.version },
    head: { ...head, version: head.version + 1 },
  };
  const result = await library.commit(change);
  if (result.ok) observer.committed(change);
}

/** What a dead process waits for. */
const never = new Promise<never>(() => {});
