import type {
  BaselineRow,
  BaselineText,
  CommitResult,
  DocumentRows,
  Facts,
  FileRow,
  Foldable,
  FoldQuery,
  Head,
  LibraryChange,
  LibraryStorage,
  Lookup,
  OperationRow,
  OperationText,
  ReplicaRow,
  StagedRows,
  StageId,
} from '@verdant-web/core';
import { emptyHead } from '@verdant-web/core';
import type { LibraryId, Oid, ServerOrder, Timestamp } from '@verdant-web/protocol';
import { findAccess } from './access.js';
import { baselineTexts } from './baseline-texts.js';
import { baselinesAfter } from './baselines.js';
import { commitChange } from './commit.js';
import type { SqlAccess, SqlDatabase } from './database.js';
import { readDocument, readObjects } from './documents.js';
import { evictedFiles, expiredFiles, filesAfter, findFile, forgetFiles } from './files.js';
import { findFoldable } from './foldable.js';
import { evictedKeys, findLibrary, insertLibrary, type LibraryRecord } from './heads.js';
import { isStored } from './keys.js';
import { type OpenEpoch, openEpoch } from './open-epoch.js';
import { operationTexts } from './operation-texts.js';
import { earliestAfter, operationsBetween, type Scope } from './operations.js';
import { takePage } from './pages.js';
import { deleteRowsOf, hasRowsOf } from './reclaim.js';
import { allReplicas, findReplicas, replicasSeen } from './replicas.js';
import { Stages, stageRows } from './stages.js';

/** One library in a SQLite-shaped database. The queries are in this package's modules, one for each table. */
export class SqlLibraryStorage implements LibraryStorage {
  readonly #id: LibraryId;
  readonly #access: SqlAccess;
  readonly #stages = new Stages();
  #epoch: OpenEpoch | null = null;
  #cutOff: string | null = null;

  constructor(id: LibraryId, access: SqlAccess) {
    this.#id = id;
    this.#access = access;
  }

  /** From now on every call rejects, saying `reason`. */
  cutOff(reason: string): void {
    if (this.#cutOff !== null) return;
    this.#cutOff = reason;
    this.#access.release();
  }

  async close(): Promise<void> {
    this.cutOff('The library was closed');
  }

  async load(activeSince: number): Promise<{ head: Head; replicas: ReplicaRow[] } | null> {
    return this.#read((database) => {
      const library = findLibrary(database, this.#id);
      if (!library) return null;
      const scope = this.#scope(database, library);
      return { head: { ...scope.tail.head }, replicas: replicasSeen(scope, activeSince) };
    }, null);
  }

  async lookup(query: Lookup): Promise<Facts> {
    const nothing: Facts = { keys: [], replicas: [], access: [], objects: { baselines: [], operations: [] } };
    return this.#readRows(
      (scope) => ({
        keys: query.keys.filter((key) => isStored(scope, key)).map((key) => ({ ...key })),
        replicas: findReplicas(scope, query.replicas),
        access: findAccess(scope, query.access),
        objects: readObjects(scope, query.objects),
      }),
      nothing,
    );
  }

  async commit(change: LibraryChange): Promise<CommitResult> {
    const { adopt } = change;
    try {
      const stage = adopt === undefined ? null : this.#stages.find(adopt);
      const result = await this.#write((database) =>
        commitChange(database, this.#id, change, stage, (library) => this.#scope(database, library)),
      );
      if (!result.ok) this.#epoch = null;
      else if (adopt !== undefined) this.#stages.drop(adopt);
      return result;
    } catch (error) {
      // It may tell of rows that are not there.
      this.#epoch = null;
      throw error;
    }
  }

  async stage(pages: AsyncIterable<StagedRows>): Promise<StageId> {
    const stage = await this.#write((database) => this.#stages.create(database, this.#id));
    const id = this.#stages.keep(stage);
    try {
      for await (const page of pages) {
        await this.#write((database) => stageRows(database, this.#stages.find(id), page));
      }
    } catch (error) {
      this.#stages.drop(id);
      throw error;
    }
    return id;
  }

  async discardStage(id: StageId): Promise<void> {
    this.#stages.drop(id);
  }

  async evict(head: Head): Promise<void> {
    this.#stages.clear();
    await this.#write((database) => {
      const now = findLibrary(database, this.#id) ?? emptyHead;
      if (head.epoch <= now.epoch) throw new Error('An eviction starts a new epoch');
      insertLibrary(database, this.#id, head);
    });
  }

  async reclaim(maxMs: number): Promise<boolean> {
    const start = performance.now();
    const keys = (database: SqlDatabase) =>
      evictedKeys(database, this.#id).filter((key) => !this.#stages.has(key));
    const rows = this.#read((database) => hasRowsOf(database, keys(database)), false);
    if (rows && (await this.#write((database) => deleteRowsOf(database, keys(database), maxMs)))) return true;
    const left = Math.max(1, maxMs - (performance.now() - start));
    return this.#read((database) => database.driver.releaseSpace(left), false);
  }

  async readDocument(root: Oid): Promise<DocumentRows> {
    return this.#readRows((scope) => readDocument(scope, root), { baselines: [], operations: [] });
  }

  async *readBaselines(): AsyncIterable<BaselineRow[]> {
    let after: Oid | null = null;
    yield* this.#pages((scope) => {
      const page = takePage(baselinesAfter(scope, after), (row) => row.snapshot);
      after = page.at(-1)?.oid ?? after;
      return page;
    });
  }

  async *readBaselineTexts(): AsyncIterable<BaselineText[]> {
    const texts = baselineTexts();
    yield* this.#pages((scope) => texts.nextPage(scope));
  }

  async *readOperations(after: ServerOrder, through: ServerOrder): AsyncIterable<OperationRow[]> {
    let from = after;
    yield* this.#pages((scope) => {
      const page = takePage(operationsBetween(scope, from, through), (row) => row.data);
      from = page.at(-1)?.order ?? from;
      return page;
    });
  }

  async *readOperationTexts(after: ServerOrder, through: ServerOrder): AsyncIterable<OperationText[]> {
    const texts = operationTexts(after, through);
    yield* this.#pages((scope) => texts.nextPage(scope));
  }

  async earliestAfter(after: ServerOrder): Promise<Timestamp | null> {
    return this.#readRows((scope) => earliestAfter(scope, after), null);
  }

  async foldable(query: FoldQuery): Promise<Foldable> {
    return this.#readRows((scope) => findFoldable(scope, query), {
      operations: [],
      baselines: [],
      next: null,
    });
  }

  async readFile(id: string): Promise<FileRow | null> {
    return this.#readRows((scope) => findFile(scope, id), null);
  }

  async *readFiles(): AsyncIterable<FileRow[]> {
    let after: string | null = null;
    yield* this.#pages((scope) => {
      const page = filesAfter(scope, after);
      after = page.at(-1)?.id ?? after;
      return page;
    });
  }

  async expiredFiles(before: number, limit: number): Promise<FileRow[]> {
    return this.#readRows((scope) => expiredFiles(scope, before, limit), []);
  }

  async evictedFiles(limit: number): Promise<FileRow[]> {
    return this.#read((database) => evictedFiles(database, evictedKeys(database, this.#id), limit), []);
  }

  async forgetEvictedFiles(ids: readonly string[]): Promise<void> {
    if (ids.length === 0 || !this.#read((database) => evictedKeys(database, this.#id).length > 0, false))
      return;
    await this.#write((database) => forgetFiles(database, evictedKeys(database, this.#id), ids));
  }

  async readReplicas(): Promise<ReplicaRow[]> {
    return this.#readRows(allReplicas, []);
  }

  #read<T>(work: (database: SqlDatabase) => T, nothing: T): T {
    this.#assertOpen();
    const result = this.#access.read(work);
    return result === undefined ? nothing : result;
  }

  /** Reads rows of the present epoch; `nothing` where the library has no commit yet. */
  #readRows<T>(work: (scope: Scope) => T, nothing: T): T {
    return this.#read((database) => {
      const library = findLibrary(database, this.#id);
      return library ? work(this.#scope(database, library)) : nothing;
    }, nothing);
  }

  async #write<T>(work: (database: SqlDatabase) => T): Promise<T> {
    this.#assertOpen();
    return this.#access.write(work);
  }

  /** Each page is a read of its own, so that no statement stays open while the reader is busy with the last. */
  async *#pages<Row>(nextPage: (scope: Scope) => Row[]): AsyncIterable<Row[]> {
    const first = this.#readRows((scope) => scope.key, null);
    while (first !== null) {
      const page = this.#readRows((scope) => {
        if (scope.key !== first) throw new Error('The library was evicted while it was read');
        return nextPage(scope);
      }, []);
      if (page.length === 0) return;
      yield page;
    }
  }

  /** What is held in memory of the library, as long as it tells of the library as it is. */
  #scope(database: SqlDatabase, { key, version }: LibraryRecord): Scope {
    const isCurrent = this.#epoch?.key === key && this.#epoch.tail.head.version === version;
    const { authors, objects, tail } = isCurrent ? this.#epoch! : openEpoch(database, key);
    if (!isCurrent) this.#epoch = { key, authors, objects, tail };
    return { database, key, authors, objects, tail };
  }

  #assertOpen(): void {
    if (this.#cutOff !== null) throw new Error(this.#cutOff);
  }
}
