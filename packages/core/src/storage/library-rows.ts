import { emptyHead } from './empty-head.js';
import type {
  AccessRow,
  BaselineRow,
  FileRow,
  Head,
  OperationKey,
  OperationRow,
  ReplicaRow,
} from './rows.js';
import type { LibraryChange } from './storage.js';

/** All of a library, as plain data that JSON keeps: for a backend that reads and writes a library as a whole. */
export interface LibraryRows {
  head: Head;
  operations: readonly OperationRow[];
  /** Those of folded operations that have not been dropped. */
  foldedKeys: readonly OperationKey[];
  baselines: readonly BaselineRow[];
  replicas: readonly ReplicaRow[];
  access: readonly AccessRow[];
  files: readonly FileRow[];
  /** Files of earlier epochs that have not been forgotten. */
  evictedFiles: readonly FileRow[];
}

/** A library without a commit. */
export const emptyRows: LibraryRows = {
  head: emptyHead,
  operations: [],
  foldedKeys: [],
  baselines: [],
  replicas: [],
  access: [],
  files: [],
  evictedFiles: [],
};

/**
 * What a change makes of a library: the meaning of `LibraryStorage.commit`, apart from conflicts and staged rows. Changes
 * nothing that it was given, and returns rows of both.
 *
 * @throws Where a server order is taken.
 */
export function rowsAfter(rows: LibraryRows, change: LibraryChange): LibraryRows {
  const operations = [...rows.operations, ...(change.operations ?? [])];
  const orders = new Set(operations.map((row) => row.order));
  if (orders.size < operations.length) throw new Error('A server order is taken');
  const fold = new Set(change.fold);
  const folded = operations.filter((row) => fold.has(row.order));
  const isDropped = (key: OperationKey) =>
    change.dropKeys?.some((drop) => drop.replicaId === key.replicaId && key.timestamp <= drop.through);
  return {
    head: change.head,
    operations: operations.filter((row) => !fold.has(row.order)),
    foldedKeys: [...rows.foldedKeys, ...folded.map(keyOf)].filter((key) => !isDropped(key)),
    baselines: replaced(rows.baselines, change.removeBaselines, change.baselines, (row) => row.oid),
    replicas: replaced(rows.replicas, change.removeReplicas, change.replicas, (row) => row.id),
    access: replaced(rows.access, [], change.access, (row) => row.root),
    files: marked(
      replaced(rows.files, change.removeFiles, change.files, (row) => row.id),
      change.markFiles,
    ),
    // One that was uploaded again has bytes of the present epoch.
    evictedFiles: replaced(
      rows.evictedFiles,
      change.files?.map((file) => file.id),
      [],
      (row) => row.id,
    ),
  };
}

/**
 * What an eviction leaves of a library.
 *
 * @throws Where `head` does not start a later epoch.
 */
export function rowsAfterEviction({ head: old, files, evictedFiles }: LibraryRows, head: Head): LibraryRows {
  if (head.epoch <= old.epoch) throw new Error('An eviction starts a new epoch');
  return { ...emptyRows, head, evictedFiles: replaced(evictedFiles, [], files, (row) => row.id) };
}

function replaced<Key, Row>(
  rows: readonly Row[],
  removed: readonly Key[] = [],
  put: readonly Row[] = [],
  keyOf: (row: Row) => Key,
): Row[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  for (const key of removed) byKey.delete(key);
  for (const row of put) byKey.set(keyOf(row), row);
  return [...byKey.values()];
}

function marked(files: readonly FileRow[], marks: LibraryChange['markFiles'] = []): FileRow[] {
  const times = new Map(marks.flatMap(({ ids, pendingDeleteAt }) => ids.map((id) => [id, pendingDeleteAt])));
  return files.map((file) => {
    const pendingDeleteAt = times.get(file.id);
    return pendingDeleteAt === undefined ? file : { ...file, pendingDeleteAt };
  });
}

const keyOf = ({ replicaId, oid, timestamp }: OperationRow): OperationKey => ({ replicaId, oid, timestamp });
