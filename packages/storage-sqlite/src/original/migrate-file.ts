import { statSync } from 'node:fs';
import type { Log } from '@verdant-web/core';
import { type LibraryId, VerdantError } from '@verdant-web/protocol';
import { APPLICATION_ID, createSchema, SCHEMA_VERSION, SqlDatabase } from '@verdant-web/storage-sql';
import Database from 'better-sqlite3';
import { BetterSqliteDriver } from '../driver.js';
import { configurationError } from '../options.js';
import { backUp } from './backup.js';
import { type Converted, convertLibrary } from './convert-library.js';
import { dropOriginalTables, type OriginalLayout } from './layout.js';
import { namelessRows, originalLibraries, SourceLibrary } from './source-library.js';

export interface MigrationOptions {
  /** Whether the file is copied before it is changed. */
  backup: boolean;
  log: Log;
}

/**
 * Makes a database of the original server one of ours, in place and in one transaction: whatever happens meanwhile, the
 * file is the one or the other. `library` is whose file it is, unless it is a unified one.
 */
export function migrateFile(
  path: string,
  layout: OriginalLayout,
  library: LibraryId | null,
  { backup, log }: MigrationOptions,
): void {
  const started = performance.now();
  const now = Date.now();
  takeInLog(path);
  const before = statSync(path);
  const copy = backup ? backUp(path, now) : null;
  try {
    const converted = convert(path, layout, library, before, now);
    const ms = Math.round(performance.now() - started);
    // A warning, as its former server cannot use it any more.
    log.warn?.(
      { path, writtenBy: layout.writer, ...converted, ms, backup: copy },
      'A database of the original server is migrated.',
    );
    if (converted.leftOut > 0) {
      log.warn?.(
        { path, rows: converted.leftOut, backup: copy },
        'Rows of a database of the original server could not be read, and were left out.',
      );
    }
  } catch (error) {
    if (error instanceof VerdantError) throw error;
    throw configurationError(
      `${path}, a database of ${layout.writer}, could not be migrated: ${error instanceof Error ? error.message : String(error)}. It holds what it held.`,
      error,
    );
  }
}

/** Afterwards the file is all there is, and can be copied. */
function takeInLog(path: string): void {
  const db = new Database(path, { fileMustExist: true, timeout: 1000 });
  try {
    db.pragma('synchronous = FULL');
    db.pragma('journal_mode = DELETE');
  } catch (error) {
    throw inUse(path, error);
  } finally {
    db.close();
  }
}

function convert(
  path: string,
  layout: OriginalLayout,
  library: LibraryId | null,
  before: { size: number; mtimeMs: number },
  now: number,
): Converted & { libraries: number } {
  const db = new Database(path, { fileMustExist: true, timeout: 1000 });
  let source: Database.Database | undefined;
  try {
    db.pragma('synchronous = FULL');
    assertUnchanged(db, path, before);
    // So that one connection can read what was there while the other one writes.
    db.pragma('journal_mode = WAL');
    const driver = new BetterSqliteDriver(db);
    return driver.transaction(() => {
      source = new Database(path, { fileMustExist: true, readonly: true });
      createSchema(driver);
      const total = convertAll(source, layout, library, new SqlDatabase(driver), now);
      source.close();
      dropOriginalTables(db);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${SCHEMA_VERSION}`);
      return total;
    });
  } finally {
    source?.close();
    db.close();
  }
}

function convertAll(
  source: Database.Database,
  layout: OriginalLayout,
  library: LibraryId | null,
  target: SqlDatabase,
  now: number,
): Converted & { libraries: number } {
  const ids = library === null ? originalLibraries(source) : [library];
  const total = {
    libraries: ids.length,
    operations: 0,
    baselines: 0,
    replicas: 0,
    files: 0,
    leftOut: library === null ? namelessRows(source) : 0,
  };
  for (const id of ids) {
    const converted = convertLibrary(new SourceLibrary(source, layout, id), target, id, now);
    for (const kind of ['operations', 'baselines', 'replicas', 'files', 'leftOut'] as const)
      total[kind] += converted[kind];
  }
  return total;
}

/** What the original server writes while we copy would be missing from the copy. */
function assertUnchanged(
  db: Database.Database,
  path: string,
  before: { size: number; mtimeMs: number },
): void {
  let now: { size: number; mtimeMs: number };
  try {
    db.exec('BEGIN IMMEDIATE');
    now = statSync(path);
    db.exec('ROLLBACK');
  } catch (error) {
    throw inUse(path, error);
  }
  if (now.size !== before.size || now.mtimeMs !== before.mtimeMs) throw inUse(path, undefined);
}

const inUse = (path: string, cause: unknown): VerdantError =>
  configurationError(
    `${path} is a database of the original Verdant server that is still in use. Stop that server first, then start this one.`,
    cause,
  );
