import type { Oid, ServerOrder, Timestamp } from '@verdant-web/protocol';
import { emptyHead } from '../storage/empty-head.js';
import { HeldStages } from '../storage/held-stages.js';
import { inPages } from '../storage/pages.js';
import type { BaselineRow, FileRow, Head, OperationRow, ReplicaRow } from '../storage/rows.js';
import type {
  CommitResult,
  DocumentRows,
  Facts,
  Foldable,
  FoldQuery,
  LibraryChange,
  LibraryStorage,
  Lookup,
  StagedRows,
  StageId,
} from '../storage/storage.js';
import { findFoldable } from './foldable.js';
import { copy, copyReplica, MemoryLibrary } from './library.js';
import { inTimestampOrder } from './operation-log.js';

/** What a `MemoryLibraryStorage` is given to work on. */
export interface LibraryPlace {
  find(): MemoryLibrary | undefined;
  put(library: MemoryLibrary): void;
}

/** One opened library. Every method has done its work by the time it returns its promise. */
export class MemoryLibraryStorage implements LibraryStorage {
  readonly #place: LibraryPlace;
  readonly #stages = new HeldStages();
  #cutOff: string | null = null;

  constructor(place: LibraryPlace) {
    this.#place = place;
  }

  /** From now on every call rejects, saying `reason`. */
  cutOff(reason: string): void {
    this.#cutOff ??= reason;
  }

  async close(): Promise<void> {
    this.cutOff('The library was closed');
  }

  async load(activeSince: number): Promise<{ head: Head; replicas: ReplicaRow[] } | null> {
    const library = this.#library();
    if (!library) return null;
    const replicas = [...library.replicas.values()].filter((row) => row.lastSeen >= activeSince);
    return { head: { ...library.head }, replicas: replicas.map(copyReplica) };
  }

  async lookup(query: Lookup): Promise<Facts> {
    const library = this.#library();
    if (!library) return { keys: [], replicas: [], access: [], objects: { baselines: [], operations: [] } };
    return {
      keys: query.keys.filter((key) => library.holds(key)).map(copy),
      replicas: present(query.replicas, library.replicas).map(copyReplica),
      access: present(query.access, library.access).map(copy),
      objects: rowsOf(library, [...new Set(query.objects)].sort()),
    };
  }

  async commit(change: LibraryChange): Promise<CommitResult> {
    const library = this.#library() ?? new MemoryLibrary(emptyHead);
    const now = library.head;
    if (now.epoch !== change.expect.epoch || now.version !== change.expect.version) {
      return { ok: false, conflict: { ...now } };
    }
    library.apply(this.#stages.adopted(change, library.isEmpty));
    this.#place.put(library);
    this.#stages.discard(change.adopt);
    return { ok: true };
  }

  async stage(pages: AsyncIterable<StagedRows>): Promise<StageId> {
    const id = await this.#stages.stage(pages);
    this.#library();
    return id;
  }

  async discardStage(id: StageId): Promise<void> {
    this.#stages.discard(id);
  }

  async evict(head: Head): Promise<void> {
    const library = this.#library() ?? new MemoryLibrary(emptyHead);
    if (head.epoch <= library.head.epoch) throw new Error('An eviction starts a new epoch');
    library.evict(head);
    this.#stages.clear();
    this.#place.put(library);
  }

  async reclaim(): Promise<boolean> {
    this.#library();
    return false;
  }

  async readDocument(root: Oid): Promise<DocumentRows> {
    const library = this.#library();
    if (!library) return { baselines: [], operations: [] };
    const oids = new Set<Oid>();
    for (const known of [library.baselines.keys(), library.log.objects()]) {
      for (const oid of known) if (oid === root || oid.startsWith(`${root}:`)) oids.add(oid);
    }
    const { baselines, operations } = rowsOf(library, [...oids].sort());
    return { baselines, operations: operations.sort(inTimestampOrder) };
  }

  async *readBaselines(): AsyncIterable<BaselineRow[]> {
    const baselines = this.#library()?.baselines ?? new Map<Oid, BaselineRow>();
    const inOrder = [...baselines.keys()].sort().map((oid) => baselines.get(oid)!);
    yield* this.#pages(inOrder);
  }

  async *readOperations(after: ServerOrder, through: ServerOrder): AsyncIterable<OperationRow[]> {
    yield* this.#pages(this.#library()?.log.range(after, through) ?? []);
  }

  async earliestAfter(after: ServerOrder): Promise<Timestamp | null> {
    let earliest: Timestamp | null = null;
    for (const { timestamp } of this.#library()?.log.range(after, Number.POSITIVE_INFINITY) ?? []) {
      if (earliest === null || timestamp < earliest) earliest = timestamp;
    }
    return earliest;
  }

  async foldable(query: FoldQuery): Promise<Foldable> {
    const library = this.#library();
    return library ? findFoldable(library, query) : { operations: [], baselines: [], next: null };
  }

  async readFile(id: string): Promise<FileRow | null> {
    const file = this.#library()?.files.get(id);
    return file ? { ...file } : null;
  }

  async *readFiles(): AsyncIterable<FileRow[]> {
    yield* this.#pages([...(this.#library()?.files.values() ?? [])]);
  }

  async expiredFiles(before: number, limit: number): Promise<FileRow[]> {
    const files = [...(this.#library()?.files.values() ?? [])];
    const expired = files.filter((file) => file.pendingDeleteAt !== null && file.pendingDeleteAt <= before);
    return expired.slice(0, limit).map(copy);
  }

  async evictedFiles(limit: number): Promise<FileRow[]> {
    return [...(this.#library()?.evictedFiles.values() ?? [])].slice(0, limit).map(copy);
  }

  async forgetEvictedFiles(ids: readonly string[]): Promise<void> {
    const library = this.#library();
    for (const id of ids) library?.evictedFiles.delete(id);
  }

  async readReplicas(): Promise<ReplicaRow[]> {
    const replicas = this.#library()?.replicas ?? new Map();
    return [...replicas.keys()].sort().map((id) => copyReplica(replicas.get(id)));
  }

  #library(): MemoryLibrary | undefined {
    if (this.#cutOff !== null) throw new Error(this.#cutOff);
    return this.#place.find();
  }

  async *#pages<Row extends OperationRow | BaselineRow | FileRow>(
    rows: readonly Row[],
  ): AsyncIterable<Row[]> {
    const epoch = this.#library()?.head.epoch;
    for (const page of inPages(rows)) {
      if (this.#library()?.head.epoch !== epoch) throw new Error('The library was evicted while it was read');
      yield page.map(copy);
    }
  }
}

function rowsOf(library: MemoryLibrary, oids: readonly Oid[]): DocumentRows {
  return {
    baselines: present(oids, library.baselines).map(copy),
    operations: oids.flatMap((oid) => library.log.ofObject(oid).map(copy)),
  };
}

function present<Key, Row>(keys: readonly Key[], rows: ReadonlyMap<Key, Row>): Row[] {
  return keys.map((key) => rows.get(key)).filter((row) => row !== undefined);
}
