import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Log, RevocationRow } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import {
  copyLibrary,
  hasLibrary,
  listLibraries,
  readRevocations,
  SqlDatabase,
} from '@verdant-web/storage-sql';
import Database from 'better-sqlite3';
import { upgradeDatabase } from './database-file.js';
import { BetterSqliteDriver } from './driver.js';
import { putInPlace } from './durable-file.js';
import { acquireLock } from './lock.js';
import { assertPath, configurationError } from './options.js';
import { convertLibrary } from './original/convert-library.js';
import { inspectFile, refusal } from './original/inspect-file.js';
import type { OriginalLayout } from './original/layout.js';
import { hasOriginalLibrary, originalLibraries, SourceLibrary } from './original/source-library.js';

const OPTION = 'transferFromUnifiedDatabaseFile';

/**
 * A file with many libraries, the original server's or that of `sqlStorage`, from which shards take theirs. It is only
 * read, but for one of an earlier layout of ours, which is brought up to date.
 */
export class UnifiedSource {
  /** The file itself, whatever links lead to it. */
  readonly path: string;
  readonly #db: Database.Database;
  readonly #database: SqlDatabase;
  /** Null: ours. */
  readonly #layout: OriginalLayout | null;
  readonly #log: Log;
  readonly #unlock: () => void;

  /** Throws a `VerdantError` (`Configuration`) where the file is missing, in use, or none of these. */
  constructor(file: unknown, log: Log) {
    assertPath(file, OPTION);
    if (!existsSync(file)) {
      throw configurationError(
        `${OPTION}: there is no file ${resolve(file)}. Set it to the database that libraries are to be taken from; once all are, leave it out.`,
      );
    }
    this.path = realpathSync.native(file);
    this.#log = log;
    // A server that writes there would not see what is written here from now on.
    this.#unlock = acquireLock(`${this.path}-lock`, this.path);
    try {
      this.#layout = unifiedLayout(this.path);
      this.#db = new Database(this.path, { fileMustExist: true });
    } catch (error) {
      this.#unlock();
      throw error;
    }
    try {
      if (!this.#layout) upgradeDatabase(this.#db, this.path);
      this.#db.pragma('query_only = 1');
      this.#database = new SqlDatabase(new BetterSqliteDriver(this.#db));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  libraries(): LibraryId[] {
    if (this.#layout) return originalLibraries(this.#db);
    return listLibraries(this.#database, null, Number.MAX_SAFE_INTEGER);
  }

  has(id: LibraryId): boolean {
    return this.#layout ? hasOriginalLibrary(this.#db, id) : hasLibrary(this.#database, id);
  }

  /** Of ours: which access tokens are revoked. */
  revocations(): RevocationRow[] {
    return this.#layout ? [] : readRevocations(this.#database);
  }

  /** Makes the library's own file: whole, or not at all. `empty` are the bytes of a database with nothing in it. */
  transfer(id: LibraryId, path: string, empty: Buffer): void {
    const started = performance.now();
    const shard = `${path}.new`;
    for (const side of ['-journal', '-wal', '-shm']) rmSync(shard + side, { force: true });
    writeFileSync(shard, empty);
    const db = new Database(shard, { fileMustExist: true });
    let converted = {};
    try {
      // Nothing of it counts before it has its name: no journal, and one flush at the end.
      db.pragma('journal_mode = MEMORY');
      db.pragma('synchronous = OFF');
      const target = new SqlDatabase(new BetterSqliteDriver(db));
      if (this.#layout) converted = this.#convert(this.#layout, id, target);
      else this.#copy(db, id, target);
    } finally {
      db.close();
    }
    putInPlace(shard, path);
    const ms = Math.round(performance.now() - started);
    this.#log.info?.(
      { libraryId: id, path, from: this.path, ...converted, ms },
      'A library is taken over from the unified database.',
    );
  }

  close(): void {
    this.#db.close();
    this.#unlock();
  }

  #convert(layout: OriginalLayout, id: LibraryId, target: SqlDatabase) {
    const source = new SourceLibrary(this.#db, layout, id);
    return target.driver.transaction(() => convertLibrary(source, target, id, Date.now()));
  }

  #copy(db: Database.Database, id: LibraryId, target: SqlDatabase): void {
    db.prepare('ATTACH ? AS unified').run(this.path);
    target.driver.transaction(() => copyLibrary(target, 'unified', id));
    db.exec('DETACH unified');
  }
}

/** Null: it is ours. */
function unifiedLayout(path: string): OriginalLayout | null {
  const inspection = inspectFile(path);
  if (inspection.kind === 'ours') return null;
  if (inspection.layout.unified) return inspection.layout;
  throw refusal(
    `${OPTION}: ${path} is a database of ${inspection.layout.writer} with a single library`,
    'Put it into databasesDirectory under its name, <library id>.sqlite, instead',
  );
}
