import type { FileRow, LibraryChange } from '@verdant-web/core';
import type { SqlDatabase } from './database.js';
import type { Scope } from './operations.js';
import { decodeText, encodeText } from './text.js';

const PUT = `
INSERT OR REPLACE INTO file (library, id, name, type, size, pending_delete_at) VALUES (?, ?, ?, ?, ?, ?)`;
const REMOVE = 'DELETE FROM file WHERE library = ? AND id = ?';
const MARK = 'UPDATE file SET pending_delete_at = ? WHERE library = ? AND id = ?';

/** What a change says about files. `evicted` are the keys of the library's earlier epochs. */
export function applyFiles(
  { database, key }: Scope,
  change: Pick<LibraryChange, 'files' | 'markFiles' | 'removeFiles'>,
  evicted: readonly number[],
): void {
  for (const id of change.removeFiles ?? []) database.run(REMOVE, key, encodeText(id));
  for (const { id, name, type, size, pendingDeleteAt } of change.files ?? []) {
    database.run(PUT, key, encodeText(id), encodeText(name), encodeText(type), size, pendingDeleteAt);
    // Uploaded again: the bytes in the file storage belong to this epoch now.
    for (const old of evicted) database.run(REMOVE, old, encodeText(id));
  }
  for (const { ids, pendingDeleteAt } of change.markFiles ?? []) {
    for (const id of ids) database.run(MARK, pendingDeleteAt, key, encodeText(id));
  }
}

const COLUMNS = 'id, name, type, size, pending_delete_at';

type Row = readonly [
  id: string,
  name: string,
  type: string,
  size: number | null,
  pendingDeleteAt: number | null,
];

const ONE = `SELECT ${COLUMNS} FROM file WHERE library = ? AND id = ?`;

export function findFile({ database, key }: Scope, id: string): FileRow | null {
  const row = database.get<Row>(ONE, key, encodeText(id));
  return row ? decode(row) : null;
}

const AFTER = `SELECT ${COLUMNS} FROM file WHERE library = ? AND id > ? ORDER BY id LIMIT 256`;
const FIRST = `SELECT ${COLUMNS} FROM file WHERE library = ? ORDER BY id LIMIT 256`;

/** A page of files, in the order of their encoded ids; after the file `after`, when given. */
export const filesAfter = ({ database, key }: Scope, after: string | null): FileRow[] =>
  (after === null ? database.all<Row>(FIRST, key) : database.all<Row>(AFTER, key, encodeText(after))).map(
    decode,
  );

const EXPIRED = `
SELECT ${COLUMNS} FROM file WHERE library = ? AND pending_delete_at <= ? ORDER BY pending_delete_at LIMIT ?`;

export const expiredFiles = ({ database, key }: Scope, before: number, limit: number): FileRow[] =>
  database.all<Row>(EXPIRED, key, before, limit).map(decode);

/** When (ms) the file was released that nothing has referred to for longest, of all libraries; null: there is none. */
export const firstRelease = (database: SqlDatabase): number | null =>
  database.get<readonly [number | null]>(
    'SELECT min(pending_delete_at) FROM file WHERE pending_delete_at IS NOT NULL',
  )?.[0] ?? null;

const OF_EPOCH = `SELECT ${COLUMNS} FROM file WHERE library = ? LIMIT ?`;

/** Files of evicted epochs, each id once. */
export function evictedFiles(database: SqlDatabase, evicted: readonly number[], limit: number): FileRow[] {
  const files = new Map<string, FileRow>();
  for (const key of evicted) {
    for (const row of database.all<Row>(OF_EPOCH, key, limit).map(decode)) files.set(row.id, row);
  }
  return [...files.values()].slice(0, limit);
}

export function forgetFiles(database: SqlDatabase, evicted: readonly number[], ids: readonly string[]): void {
  for (const key of evicted) {
    for (const id of ids) database.run(REMOVE, key, encodeText(id));
  }
}

const decode = ([id, name, type, size, pendingDeleteAt]: Row): FileRow => ({
  id: decodeText(id),
  name: decodeText(name),
  type: decodeText(type),
  size,
  pendingDeleteAt,
});
