import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  createLog,
  type LibraryStorage,
  type Log,
  type LogFunction,
  type Logger,
  type RevocationRow,
  type Storage,
} from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { listLibraries, OpenLibraries, type SqlAccess, type SqlDatabase } from '@verdant-web/storage-sql';
import {
  createDatabase,
  databaseExists,
  emptyDatabase,
  type OpenDatabase,
  openDatabase,
} from './database-file.js';
import { shardNames } from './file-name.js';
import { HandlePool } from './handle-pool.js';
import { acquireLock } from './lock.js';
import {
  assertDurability,
  assertPath,
  configurationError,
  ensureDirectory,
  MAX_VALUE_BYTES,
} from './options.js';
import type { Durability } from './pragmas.js';
import { RevocationFile } from './revocation-file.js';

export interface SqlShardStorageOptions {
  /** Where the files are. Created if it is not there. One server process at a time. */
  databasesDirectory: string;
  /**
   * `full` (default): an acknowledged change survives the loss of power, for one flush to disk a commit. `normal`:
   * it survives the death of the process; a loss of power may take the last moments, never the database.
   */
  durability?: Durability;
  /** How many files are kept open at most. Libraries beyond it are opened again when they are next used. Default 500. */
  maxOpenDatabases?: number;
  /** Told of files in the directory that are passed over. */
  log?: LogFunction | Logger;
}

/**
 * Storage with one SQLite file for each library: a damaged or huge library is no other's concern, and one can be copied, restored or
 * removed by its file. For very many tiny libraries, `sqlStorage` needs less disk and fewer flushes.
 *
 * Throws a `VerdantError` (`Configuration`) when the directory cannot be used, or is in use by another process.
 * Opening a library rejects with one when its file is not ours; the file is left as it was.
 *
 * @example
 * ```ts
 * import { sqlShardStorage } from '@verdant-web/storage-sqlite';
 *
 * const storage = sqlShardStorage({ databasesDirectory: './databases' });
 * ```
 */
export function sqlShardStorage(options: SqlShardStorageOptions): Storage {
  const { databasesDirectory, durability = 'full', maxOpenDatabases = 500, log } = options;
  assertPath(databasesDirectory, 'databasesDirectory');
  assertDurability(durability);
  if (!Number.isInteger(maxOpenDatabases) || maxOpenDatabases < 1) {
    throw configurationError(
      `maxOpenDatabases is ${maxOpenDatabases}. Set it to a whole number from 1 on, or leave it out.`,
    );
  }
  const directory = resolve(databasesDirectory);
  ensureDirectory(directory, 'databasesDirectory');
  const unlock = acquireLock(join(directory, '.verdant-lock'), directory);
  return new ShardStorage(directory, durability, maxOpenDatabases, unlock, createLog(log));
}

/** Of each file: that many are open at once. */
const CACHE_KIB = 2048;
/** Listing opens every file; after this many it lets others have a turn. */
const LISTED_AT_ONCE = 16;

class ShardStorage implements Storage {
  readonly limits = { maxValueBytes: MAX_VALUE_BYTES, multiProcess: false };
  readonly #directory: string;
  readonly #durability: Durability;
  readonly #pool: HandlePool;
  readonly #libraries = new OpenLibraries();
  readonly #unlock: () => void;
  readonly #log: Log;
  readonly #revocations: RevocationFile;
  #empty: Buffer | undefined;

  constructor(directory: string, durability: Durability, maxOpen: number, unlock: () => void, log: Log) {
    this.#directory = directory;
    this.#durability = durability;
    this.#pool = new HandlePool(maxOpen, (path) => this.#openFile(path));
    this.#unlock = unlock;
    this.#log = log;
    this.#revocations = new RevocationFile(directory, durability);
  }

  async open(id: LibraryId): Promise<LibraryStorage> {
    this.#libraries.assertOpen();
    const access = this.#accessTo(id);
    // A file that is not ours is refused here and now.
    access.read(() => true);
    return this.#libraries.open(id, access);
  }

  /** In the order of file names. */
  async *list(after?: LibraryId): AsyncIterable<LibraryId> {
    const start = after === undefined ? '' : basename(this.#pathOf(after));
    const names = readdirSync(this.#directory).filter((name) => name.endsWith('.sqlite') && name > start);
    let listed = 0;
    for (const name of names.sort()) {
      this.#libraries.assertOpen();
      const id = this.#idIn(join(this.#directory, name));
      if (id !== null) yield id;
      if (++listed % LISTED_AT_ONCE === 0) await setImmediate();
    }
  }

  async readRevocations(): Promise<RevocationRow[]> {
    this.#libraries.assertOpen();
    return this.#revocations.read();
  }

  async putRevocation(row: RevocationRow): Promise<void> {
    this.#libraries.assertOpen();
    this.#revocations.put(row);
  }

  async close(): Promise<void> {
    this.#libraries.close('The storage was closed');
    this.#revocations.close();
    this.#pool.closeAll();
    this.#unlock();
  }

  #accessTo(id: LibraryId): SqlAccess {
    const path = this.#pathOf(id);
    const use = () => {
      const { database } = this.#pool.find(path) ?? this.#firstUse(path, id);
      return database;
    };
    return {
      read: (work) => (this.#pool.find(path) || databaseExists(path) ? work(use()) : undefined),
      write: async (work) => {
        if (!this.#pool.find(path) && !databaseExists(path)) createDatabase(path, this.#emptyDatabase());
        const database = use();
        return database.driver.transaction(() => work(database));
      },
      release: () => this.#pool.close(path),
    };
  }

  #firstUse(path: string, id: LibraryId): OpenDatabase {
    const handle = this.#pool.use(path);
    const other = librariesIn(handle.database).find((held) => held !== id);
    if (other === undefined) return handle;
    this.#pool.close(path);
    throw configurationError(
      `${path} holds the library ${JSON.stringify(other)}, not ${JSON.stringify(id)}. It was left as it was. A library keeps the file name that it was created under.`,
    );
  }

  #idIn(path: string): LibraryId | null {
    try {
      if (!databaseExists(path)) return null;
      const open = this.#pool.find(path);
      const handle = open ?? this.#openFile(path);
      try {
        const id = librariesIn(handle.database)[0];
        if (id === undefined) return null;
        if (this.#pathOf(id) === path) return id;
        throw new Error(`It holds the library ${JSON.stringify(id)}, whose file is ${this.#pathOf(id)}`);
      } finally {
        if (!open) handle.close();
      }
    } catch (error) {
      this.#log.warn?.({ path, err: error }, 'A database file is passed over.');
      return null;
    }
  }

  #pathOf(id: LibraryId): string {
    const { own, original } = shardNames(id);
    if (original !== null && isThere(join(this.#directory, original))) return join(this.#directory, original);
    return join(this.#directory, own);
  }

  #openFile(path: string): OpenDatabase {
    return openDatabase(path, { durability: this.#durability, cacheKiB: CACHE_KIB });
  }

  #emptyDatabase(): Buffer {
    this.#empty ??= emptyDatabase();
    return this.#empty;
  }
}

const librariesIn = (database: SqlDatabase): LibraryId[] => listLibraries(database, null, 2);

/** Whether a file of exactly this name is there: some file systems would find `a` for `A`. */
function isThere(path: string): boolean {
  return existsSync(path) && basename(realpathSync.native(path)) === basename(path);
}
