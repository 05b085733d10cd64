import { closeSync, fsyncSync, openSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import {
  APPLICATION_ID,
  assertSchemaVersion,
  createSchema,
  SCHEMA_VERSION,
  SqlDatabase,
} from '@verdant-web/storage-sql';
import Database from 'better-sqlite3';
import { BetterSqliteDriver } from './driver.js';
import { type Durability, setPragmas } from './pragmas.js';

/** An open database file. */
export interface OpenDatabase {
  database: SqlDatabase;
  close(): void;
}

export interface OpenOptions {
  durability: Durability;
  /** How much of the file SQLite may keep in memory. */
  cacheKiB: number;
}

/**
 * Opens a database file that is there; refuses, untouched, what is not ours or is of a later layout.
 * Check {@link databaseExists} first.
 */
export function openDatabase(path: string, { durability, cacheKiB }: OpenOptions): OpenDatabase {
  assertOurs(path);
  const db = new Database(path, { fileMustExist: true });
  try {
    assertSchemaVersion(db.pragma('user_version', { simple: true }) as number, path);
    setPragmas(db, durability, cacheKiB);
  } catch (error) {
    db.close();
    throw error;
  }
  return { database: new SqlDatabase(new BetterSqliteDriver(db)), close: () => db.close() };
}

/**
 * Whether there is a database at `path`. An empty file counts as none, as it does for SQLite. Refuses a place where
 * the log of a database lies without the database.
 */
export function databaseExists(path: string): boolean {
  if (sizeOf(path) > 0) return true;
  if (sizeOf(`${path}-wal`) === 0) return false;
  throw refusal(
    `${path} is missing or empty, but its log ${path}-wal is there`,
    'Restore the database, or remove its log',
  );
}

/**
 * Creates a database from the bytes of {@link emptyDatabase}. It appears whole or not at all: a process that dies meanwhile leaves a `.new` file
 * behind, which the next attempt overwrites.
 */
export function createDatabase(path: string, empty: Buffer): void {
  const file = openSync(`${path}.new`, 'w');
  try {
    writeFileSync(file, empty);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
  syncDirectory(dirname(path));
}

/** The bytes of a database with our tables and nothing in them. Writing them is much faster than running the SQL. */
export function emptyDatabase(): Buffer {
  const db = new Database(':memory:');
  db.pragma('page_size = 4096');
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${SCHEMA_VERSION}`);
  createSchema(new BetterSqliteDriver(db));
  const bytes = db.serialize();
  db.close();
  // "Uses a write-ahead log", in the header: else the first open would rewrite the file to say so, with four flushes.
  bytes[18] = bytes[19] = 2;
  return bytes;
}

/** Looks at the file without SQLite, which would change it: recover its log, or make files beside it. */
function assertOurs(path: string): void {
  if (!statSync(path).isFile())
    throw refusal(`${path} is not a file`, 'Move it away, or give the storage another path');
  const header = readStart(path, 100);
  if (header.subarray(0, 16).toString('latin1') !== 'SQLite format 3\0') {
    throw refusal(`${path} is not a SQLite database`, 'Move it away, or give the storage another path');
  }
  if (header.length >= 72 && header.readUInt32BE(68) === APPLICATION_ID) return;
  if (mentionsOriginalTables(path)) {
    throw refusal(
      `${path} is a database of the original Verdant server, and this version cannot migrate it yet`,
      'Keep serving it with the original server, or give the storage another path',
    );
  }
  throw refusal(
    `${path} is a SQLite database of another program`,
    'Move it away, or give the storage another path',
  );
}

/** The schema is kept as SQL text at the start of a file, or in its log while that was not copied. */
function mentionsOriginalTables(path: string): boolean {
  return [path, `${path}-wal`].some((file) => {
    if (sizeOf(file) === 0) return false;
    const text = readStart(file, 256 * 1024).toString('latin1');
    return text.includes('OperationHistory') || text.includes('kysely_migration');
  });
}

const refusal = (problem: string, remedy: string): VerdantError =>
  new VerdantError(VerdantErrorCode.Configuration, `${problem}. It was left as it was. ${remedy}.`);

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function readStart(path: string, bytes: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(file, buffer, 0, bytes, 0));
  } finally {
    closeSync(file);
  }
}

/** Makes a new name in it durable. Windows cannot, and need not. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
