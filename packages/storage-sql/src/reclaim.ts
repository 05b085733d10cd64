import type { SqlDatabase } from './database.js';
import type { SqlRow } from './driver.js';
import { deleteLibrary } from './heads.js';

const SLICE_ROWS = 100;
/** In some runtimes the clock stands still while JavaScript runs. */
const MAX_SLICES = 200;

/** Tables that are emptied, with the columns that follow the library in their primary keys. */
const TABLES = [
  ['operation', 'server_order'],
  ['object_operation', 'oid, timestamp, server_order'],
  ['baseline', 'oid'],
  ['folded_key', 'author, timestamp, oid'],
  ['replica', 'id'],
  ['access', 'root'],
  ['author', 'number'],
] as const;

/**
 * Deletes rows of evicted epochs, inside a transaction, for about `maxMs`. True: there are more. The record of an
 * epoch goes last, when the files are forgotten too.
 */
export function deleteRowsOf(database: SqlDatabase, keys: readonly number[], maxMs: number): boolean {
  const deadline = performance.now() + maxMs;
  let slices = 0;
  for (const key of keys) {
    for (const [table, columns] of TABLES) {
      while (deleteSlice(database, key, table, columns)) {
        if (++slices >= MAX_SLICES || performance.now() >= deadline) return true;
      }
    }
    if (!holdsFiles(database, key)) deleteLibrary(database, key);
  }
  return false;
}

/** Whether there is anything for {@link deleteRowsOf} to do. */
export const hasRowsOf = (database: SqlDatabase, keys: readonly number[]): boolean =>
  keys.some((key) => !holdsFiles(database, key) || holdsRows(database, key));

function deleteSlice(database: SqlDatabase, key: number, table: string, columns: string): boolean {
  const last = `SELECT ${columns} FROM ${table} WHERE library = ? ORDER BY ${columns} LIMIT 1 OFFSET ${SLICE_ROWS}`;
  const until = database.get<SqlRow>(last, key);
  if (until) {
    const marks = until.map(() => '?').join(', ');
    database.run(`DELETE FROM ${table} WHERE library = ? AND (${columns}) <= (${marks})`, key, ...until);
  } else {
    database.run(`DELETE FROM ${table} WHERE library = ?`, key);
  }
  return until !== undefined;
}

const holdsFiles = (database: SqlDatabase, key: number): boolean =>
  database.get('SELECT 1 FROM file WHERE library = ? LIMIT 1', key) !== undefined;

const holdsRows = (database: SqlDatabase, key: number): boolean =>
  TABLES.some(
    ([table]) => database.get(`SELECT 1 FROM ${table} WHERE library = ? LIMIT 1`, key) !== undefined,
  );
