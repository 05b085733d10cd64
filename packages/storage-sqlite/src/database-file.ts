import { writeFileSync } from 'node:fs';
import type { Log } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import {
  APPLICATION_ID,
  assertSchemaVersion,
  createSchema,
  SCHEMA_VERSION,
  SqlDatabase,
  upgradeSchema,
} from '@verdant-web/storage-sql';
import Database from 'better-sqlite3';
import { naming } from './database-failure.js';
import { BetterSqliteDriver } from './driver.js';
import { putInPlace } from './durable-file.js';
import { inspectFile, refusal, sizeOf } from './original/inspect-file.js';
import type { OriginalLayout } from './original/layout.js';
import { type MigrationOptions, migrateFile } from './original/migrate-file.js';
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
  /** How a database of the original server becomes one of ours. Left out: it is refused. */
  original?: OriginalOptions;
}

export interface OriginalOptions extends MigrationOptions {
  /** Which library the file is to become; null: all those in it. Throws where such a file does not belong there. */
  libraryOf(layout: OriginalLayout): LibraryId | null;
}

/**
 * Opens a database file that is there. One of the original server is migrated; what is not ours, or is of a later
 * layout, is refused, untouched. Check {@link databaseExists} first.
 */
export function openDatabase(path: string, options: OpenOptions): OpenDatabase {
  return naming(path, () => openNow(path, options));
}

function openNow(path: string, { durability, cacheKiB, original }: OpenOptions): OpenDatabase {
  const inspection = inspectFile(path);
  if (inspection.kind === 'original') {
    const { layout } = inspection;
    if (!original) throw refusal(`${path} is a database of ${layout.writer}`, 'Move it away');
    migrateFile(path, layout, original.libraryOf(layout), original);
  }
  const db = new Database(path, { fileMustExist: true });
  try {
    upgradeDatabase(db, path);
    makeShrinkable(db, path, original?.log);
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
    'Restore the database, or remove its log: see docs/operating.md',
  );
}

/**
 * Creates a database from the bytes of {@link emptyDatabase}. It appears whole or not at all: a process that dies meanwhile leaves a `.new` file
 * behind, which the next attempt overwrites.
 */
export function createDatabase(path: string, empty: Buffer): void {
  naming(path, () => {
    writeFileSync(`${path}.new`, empty);
    putInPlace(`${path}.new`, path);
  });
}

/**
 * Brings the tables up to date where an earlier version wrote them, whole or not at all. Refuses a database of a later
 * layout, untouched.
 */
export function upgradeDatabase(db: Database.Database, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  assertSchemaVersion(version, path);
  if (version === SCHEMA_VERSION) return;
  db.pragma('synchronous = FULL');
  const driver = new BetterSqliteDriver(db);
  driver.transaction(() => {
    upgradeSchema(driver, version);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  });
}

/**
 * Sets `auto_vacuum`, which a database has from its creation on or from a `VACUUM`, where it was migrated: without, it
 * would never become smaller.
 */
function makeShrinkable(db: Database.Database, path: string, log: Log | undefined): void {
  if (db.pragma('auto_vacuum', { simple: true }) !== 0) return;
  try {
    db.pragma('auto_vacuum = INCREMENTAL');
    db.exec('VACUUM');
  } catch (error) {
    // For want of space, say. All else works without.
    log?.warn?.(
      { path, err: error },
      'A database was not compacted, and will not become smaller. It is tried again when it is next opened.',
    );
  }
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
