import { emptyHead, type Head } from '@verdant-web/core';
import type { LibraryId, Timestamp } from '@verdant-web/protocol';
import type { SqlDatabase } from './database.js';
import type { SqlValue } from './driver.js';
import { decodeOptional, decodeText, encodeOptional, encodeText } from './text.js';

/** Which row of the `library` table is a library's, and what decides whether it may be changed. */
export interface LibraryRecord {
  /** Leads the primary key of every other table. A new one in each epoch. */
  key: number;
  epoch: number;
  version: number;
}

// The log may be ahead of the row: see tail.ts.
const FIND = `
SELECT key, epoch, coalesce(
  (
    SELECT operation.version FROM operation
    WHERE operation.library = key AND operation.server_order > library.server_order
    ORDER BY operation.server_order DESC LIMIT 1
  ),
  library.version
)
FROM library WHERE id = ? AND epoch >= 0 ORDER BY epoch DESC LIMIT 1`;

/** The library in its present epoch. */
export function findLibrary(database: SqlDatabase, id: LibraryId): LibraryRecord | null {
  const row = database.get<readonly [number, number, number]>(FIND, encodeText(id));
  return row ? { key: row[0], epoch: row[1], version: row[2] } : null;
}

type HeadRow = readonly [
  epoch: number,
  version: number,
  founded: number,
  order: number,
  foldedThrough: number,
  announcedAck: string | null,
  latest: string | null,
  horizon: string | null,
  soleAuthor: string | null,
  operations: number,
  baselines: number,
];

const READ = `
SELECT epoch, version, founded, server_order, folded_through, announced_ack, latest, horizon, sole_author,
  operations, baselines
FROM library WHERE key = ?`;

/** The head that was last written to the library's row. */
export function readHead(database: SqlDatabase, key: number): Head {
  const [
    epoch,
    version,
    founded,
    order,
    foldedThrough,
    announcedAck,
    latest,
    horizon,
    soleAuthor,
    operations,
    baselines,
  ] = database.get<HeadRow>(READ, key)!;
  return {
    epoch,
    version,
    founded: founded === 1,
    order,
    foldedThrough,
    announcedAck: announcedAck as Timestamp | null,
    latest: latest as Timestamp | null,
    horizon: horizon as Timestamp | null,
    soleAuthor: decodeOptional(soleAuthor),
    operations,
    baselines,
  };
}

const INSERT = `
INSERT INTO library
  (epoch, version, founded, server_order, folded_through, announced_ack, latest, horizon, sole_author, operations,
    baselines, id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key`;

/** Adds the library, or its next epoch, and returns the new key. */
export function insertLibrary(database: SqlDatabase, id: LibraryId, head: Head): number {
  return database.get<readonly [number]>(INSERT, ...headValues(head), encodeText(id))![0];
}

// The epoch only where it changes: to write it is to write the index by id, too, a page more for each commit.
const UPDATE = `
UPDATE library SET version = ?, founded = ?, server_order = ?, folded_through = ?, announced_ack = ?,
  latest = ?, horizon = ?, sole_author = ?, operations = ?, baselines = ? WHERE key = ?`;

export function updateHead(database: SqlDatabase, key: number, head: Head): void {
  const [, ...values] = headValues(head);
  database.run(UPDATE, ...values, key);
}

/** What was staged under this key is the library from here on, and no leftover. */
export function setEpoch(database: SqlDatabase, key: number, epoch: number): void {
  database.run('UPDATE library SET epoch = ? WHERE key = ?', epoch, key);
}

const EVICTED = 'SELECT key FROM library WHERE id = ? AND epoch < ?';

/** Keys of the library's earlier epochs, and of what was staged for it, of which rows may be left. */
export function evictedKeys(database: SqlDatabase, id: LibraryId): number[] {
  const epoch = findLibrary(database, id)?.epoch ?? 0;
  return database.all<readonly [number]>(EVICTED, encodeText(id), epoch).map(([key]) => key);
}

const LOWEST = 'SELECT min(0, coalesce(min(epoch), 0)) FROM library WHERE id = ?';

/** Adds a place for rows that nobody is to see yet: an epoch below those of the library. Returns its key. */
export function insertStage(database: SqlDatabase, id: LibraryId): number {
  const [lowest] = database.get<readonly [number]>(LOWEST, encodeText(id))!;
  return insertLibrary(database, id, { ...emptyHead, epoch: lowest - 1 });
}

export function deleteLibrary(database: SqlDatabase, key: number): void {
  database.run('DELETE FROM library WHERE key = ?', key);
}

const LIST = 'SELECT DISTINCT id FROM library WHERE id > ? AND epoch >= 0 ORDER BY id LIMIT ?';
const LIST_FIRST = 'SELECT DISTINCT id FROM library WHERE epoch >= 0 ORDER BY id LIMIT ?';

/** Ids of libraries, at most `limit`, those after `after`; null: from the first. */
export function listLibraries(database: SqlDatabase, after: LibraryId | null, limit: number): LibraryId[] {
  const rows =
    after === null
      ? database.all<readonly [string]>(LIST_FIRST, limit)
      : database.all<readonly [string]>(LIST, encodeText(after), limit);
  return rows.map(([id]) => decodeText<LibraryId>(id));
}

/** Whether the library ever had a commit. */
export const hasLibrary = (database: SqlDatabase, id: LibraryId): boolean =>
  findLibrary(database, id) !== null;

const headValues = (head: Head): SqlValue[] => [
  head.epoch,
  head.version,
  head.founded ? 1 : 0,
  head.order,
  head.foldedThrough,
  head.announcedAck,
  head.latest,
  head.horizon,
  encodeOptional(head.soleAuthor),
  head.operations,
  head.baselines,
];
