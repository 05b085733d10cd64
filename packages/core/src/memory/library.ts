import type { Oid, ReplicaId } from '@verdant-web/protocol';
import type { AccessRow, BaselineRow, FileRow, Head, OperationKey, ReplicaRow } from '../storage/rows.js';
import type { LibraryChange } from '../storage/storage.js';
import { FoldedKeys } from './folded-keys.js';
import { OperationLog } from './operation-log.js';

/** One library's rows. Every row in here is this object's own: copied when it comes in and when it goes out. */
export class MemoryLibrary {
  head: Head;
  log = new OperationLog();
  foldedKeys = new FoldedKeys();
  baselines = new Map<Oid, BaselineRow>();
  replicas = new Map<ReplicaId, ReplicaRow>();
  access = new Map<Oid, AccessRow>();
  files = new Map<string, FileRow>();
  /** Files of earlier epochs that have not been forgotten yet. */
  readonly evictedFiles = new Map<string, FileRow>();

  constructor(head: Head) {
    this.head = { ...head };
  }

  /** All or nothing: what can fail is tried before anything is changed. */
  apply(change: LibraryChange): void {
    this.log.assertNew(change.operations ?? []);
    this.log.append(change.operations ?? []);
    for (const folded of this.log.remove(change.fold ?? [])) this.foldedKeys.add(folded);
    for (const { replicaId, through } of change.dropKeys ?? []) this.foldedKeys.drop(replicaId, through);
    replace(this.baselines, change.removeBaselines, change.baselines, (row) => row.oid, copy);
    replace(this.replicas, change.removeReplicas, change.replicas, (row) => row.id, copyReplica);
    replace(this.access, [], change.access, (row) => row.root, copy);
    this.#applyFiles(change);
    this.head = { ...change.head };
  }

  /** Everything but the record of files goes. */
  evict(head: Head): void {
    for (const [id, file] of this.files) this.evictedFiles.set(id, file);
    this.log = new OperationLog();
    this.foldedKeys = new FoldedKeys();
    this.baselines = new Map();
    this.replicas = new Map();
    this.access = new Map();
    this.files = new Map();
    this.head = { ...head };
  }

  get isEmpty(): boolean {
    return this.baselines.size === 0 && this.log.isEmpty;
  }

  holds(key: OperationKey): boolean {
    return this.log.holds(key) || this.foldedKeys.holds(key);
  }

  #applyFiles(change: LibraryChange): void {
    replace(this.files, change.removeFiles, change.files, (row) => row.id, copy);
    // Uploaded again: the bytes in the file storage belong to this epoch now.
    for (const { id } of change.files ?? []) this.evictedFiles.delete(id);
    for (const { ids, pendingDeleteAt } of change.markFiles ?? []) {
      for (const id of ids) {
        const file = this.files.get(id);
        if (file) file.pendingDeleteAt = pendingDeleteAt;
      }
    }
  }
}

/** Removals first, so that a change can take a row away and put a fresh one in its place. */
function replace<Key, Row>(
  rows: Map<Key, Row>,
  removed: readonly Key[] = [],
  added: readonly Row[] = [],
  keyOf: (row: Row) => Key,
  copyOf: (row: Row) => Row,
): void {
  for (const key of removed) rows.delete(key);
  for (const row of added) rows.set(keyOf(row), copyOf(row));
}

/** A row of plain values, as its own object. */
export const copy = <Row extends object>(row: Row): Row => ({ ...row });

export const copyReplica = (row: ReplicaRow): ReplicaRow => ({
  ...row,
  pending: row.pending.map((reply) => ({ ...reply })),
});
