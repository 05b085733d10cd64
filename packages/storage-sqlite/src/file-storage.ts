import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  createLog,
  type LibraryStorage,
  type LogFunction,
  type Logger,
  type RevocationRow,
  type Storage,
} from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import {
  OpenLibraries,
  putRevocation,
  readRevocations,
  type SqlAccess,
  type SqlDatabase,
  WriteGroup,
} from '@verdant-web/storage-sql';
import { named, naming } from './database-failure.js';
import {
  createDatabase,
  databaseExists,
  emptyDatabase,
  type OpenDatabase,
  openDatabase,
} from './database-file.js';
import { acquireLock } from './lock.js';
import {
  assertDurability,
  assertPath,
  configurationError,
  ensureDirectory,
  MAX_VALUE_BYTES,
} from './options.js';
import { refusal } from './original/inspect-file.js';
import type { OriginalLayout } from './original/layout.js';
import type { MigrationOptions } from './original/migrate-file.js';
import type { Durability } from './pragmas.js';

export interface SqlStorageOptions {
  /** The file, for example `verdant.sqlite`. Created with the first commit. One server process at a time. */
  databaseFile: string;
  /**
   * `full` (default): an acknowledged change survives the loss of power, for one flush to disk a commit; libraries
   * that commit at the same time share one. `normal`: it survives the death of the process; a loss of power may take the
   * last moments, never the database.
   */
  durability?: Durability;
  /**
   * Whether a database of the original server is copied, to `<name>.backup-<date>`, before it is migrated. Default true.
   */
  backup?: boolean;
  /** Told when the file is created or migrated. */
  log?: LogFunction | Logger;
}

/**
 * Storage with one SQLite file for all libraries. Commits of many libraries share their flushes to disk; what one library
 * writes, though, the others wait for. `sqlShardStorage` gives each a file of its own.
 *
 * A unified database of the original server (2.x, 3.x) is migrated here and now.
 *
 * Throws a `VerdantError` (`Configuration`) when the file cannot be used, is not ours, or is in use by another process.
 *
 * @example
 * ```ts
 * import { sqlStorage } from '@verdant-web/storage-sqlite';
 *
 * const storage = sqlStorage({ databaseFile: 'verdant.sqlite' });
 * ```
 */
export function sqlStorage(options: SqlStorageOptions): Storage {
  const { databaseFile, durability = 'full', backup = true, log } = options;
  assertPath(databaseFile, 'databaseFile');
  assertDurability(durability);
  const path = realPath(resolve(databaseFile));
  ensureDirectory(dirname(path), 'databaseFile');
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw configurationError(
      `databaseFile: ${path} is a directory. Set it to a file in it, such as ${path}/verdant.sqlite.`,
    );
  }
  const unlock = acquireLock(`${path}-lock`, path);
  try {
    return new FileStorage(path, durability, unlock, { backup, log: createLog(log) });
  } catch (error) {
    unlock();
    throw error;
  }
}

const CACHE_KIB = 16 * 1024;

class FileStorage implements Storage {
  readonly limits = { maxValueBytes: MAX_VALUE_BYTES, multiProcess: false };
  readonly #path: string;
  readonly #durability: Durability;
  readonly #libraries = new OpenLibraries();
  readonly #access: SqlAccess = {
    read: (work) => this.#read(work),
    write: (work) => this.#write(work),
    release: () => {},
  };
  readonly #unlock: () => void;
  readonly #migration: MigrationOptions;
  #open: { file: OpenDatabase; group: WriteGroup } | undefined;

  constructor(path: string, durability: Durability, unlock: () => void, migration: MigrationOptions) {
    this.#path = path;
    this.#durability = durability;
    this.#unlock = unlock;
    this.#migration = migration;
    if (databaseExists(path)) this.#open = this.#openFile();
  }

  async open(id: LibraryId): Promise<LibraryStorage> {
    return this.#libraries.open(id, this.#access);
  }

  /** In the order of ids. */
  list(after?: LibraryId): AsyncIterable<LibraryId> {
    return this.#libraries.list(this.#access, after);
  }

  async readRevocations(): Promise<RevocationRow[]> {
    this.#libraries.assertOpen();
    return this.#read(readRevocations) ?? [];
  }

  async putRevocation(row: RevocationRow): Promise<void> {
    this.#libraries.assertOpen();
    await this.#write((database) => putRevocation(database, row));
  }

  async close(): Promise<void> {
    this.#libraries.close('The storage was closed');
    this.#open?.group.flushAll();
    this.#open?.file.close();
    this.#open = undefined;
    this.#unlock();
  }

  #read<Result>(work: (database: SqlDatabase) => Result): Result | undefined {
    const open = this.#open;
    return open && naming(this.#path, () => work(open.file.database));
  }

  async #write<Result>(work: (database: SqlDatabase) => Result): Promise<Result> {
    try {
      return await this.#openOrCreate().group.write(work);
    } catch (error) {
      throw named(this.#path, error);
    }
  }

  #openOrCreate() {
    if (!this.#open) {
      if (!databaseExists(this.#path)) {
        createDatabase(this.#path, emptyDatabase());
        this.#migration.log.info?.({ path: this.#path }, 'A database is created.');
      }
      this.#open = this.#openFile();
    }
    return this.#open;
  }

  #openFile() {
    const file = openDatabase(this.#path, {
      durability: this.#durability,
      cacheKiB: CACHE_KIB,
      original: { ...this.#migration, libraryOf: (layout) => this.#allLibraries(layout) },
    });
    // The end of this turn of the event loop: whatever its messages led to is committed together.
    return { file, group: new WriteGroup(file.database, setImmediate) };
  }

  #allLibraries({ unified, writer }: OriginalLayout): null {
    if (unified) return null;
    throw refusal(
      `${this.#path} is a database of ${writer} with the one library that it is named for`,
      'Use sqlShardStorage with its directory',
    );
  }
}

/** Two names of one file must find the same lock. */
const realPath = (path: string): string => (existsSync(path) ? realpathSync.native(path) : path);
