import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  createLog,
  type LibraryStorage,
  type LogFunction,
  type Logger,
  type RevocationRow,
  type Storage,
} from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { listLibraries, OpenLibraries, type SqlAccess, type SqlDatabase } from '@verdant-web/storage-sql';
import { naming } from './database-failure.js';
import {
  createDatabase,
  databaseExists,
  emptyDatabase,
  type OpenDatabase,
  openDatabase,
} from './database-file.js';
import { idNamed, shardNames } from './file-name.js';
import { HandlePool } from './handle-pool.js';
import { acquireLock } from './lock.js';
import {
  assertDurability,
  assertPath,
  configurationError,
  ensureDirectory,
  MAX_VALUE_BYTES,
} from './options.js';
import { inspectFile, refusal, sizeOf } from './original/inspect-file.js';
import type { OriginalLayout } from './original/layout.js';
import type { MigrationOptions } from './original/migrate-file.js';
import type { Durability } from './pragmas.js';
import { RevocationFile } from './revocation-file.js';
import { isDamaged, setAside } from './set-aside.js';
import { UnifiedSource } from './unified-source.js';

export interface SqlShardStorageOptions {
  /** Where the files are. Created if it is not there. One server process at a time. */
  databasesDirectory: string;
  /**
   * `full` (default): an acknowledged change survives the loss of power, for one flush to disk a commit. `normal`:
   * it survives the death of the process; a loss of power may take the last moments, never the database.
   */
  durability?: Durability;
  /** How many files are kept open at most, each for a minute after it was last used; later they are opened again. Some 270 KB and three
   * file descriptors each. Default 1,000. */
  maxOpenDatabases?: number;
  /**
   * A file with many libraries, of the original server or of `sqlStorage`: a library that has no file in the directory is
   * taken over from there when it is opened, once. The file is only read, and stays as it is; no server may write to it
   * meanwhile. Leave the option out when everything has been taken over.
   */
  transferFromUnifiedDatabaseFile?: string;
  /**
   * Whether a database of the original server is copied, to `<name>.backup-<date>`, before it is migrated. Default true.
   */
  backup?: boolean;
  /** Told of files that are passed over, migrated, or taken over. */
  log?: LogFunction | Logger;
}

/**
 * Storage with one SQLite file for each library: a damaged or huge library is no other's concern, and one can be copied, restored or
 * removed by its file. For very many tiny libraries, `sqlStorage` needs less disk and fewer flushes.
 *
 * A file of the original server (3.x, 4.x) is migrated when its library is first opened.
 *
 * Throws a `VerdantError` (`Configuration`) when the directory cannot be used, or is in use by another process; likewise the
 * file that libraries are to be transferred from. Opening a library rejects with one when its file is not ours; the file is left as it was.
 *
 * @example
 * ```ts
 * import { sqlShardStorage } from '@verdant-web/storage-sqlite';
 *
 * const storage = sqlShardStorage({ databasesDirectory: './databases' });
 * ```
 */
export function sqlShardStorage(options: SqlShardStorageOptions): Storage {
  const { databasesDirectory, durability = 'full', maxOpenDatabases = 1_000 } = options;
  const { transferFromUnifiedDatabaseFile, backup = true } = options;
  const log = createLog(options.log);
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
  try {
    const unified =
      transferFromUnifiedDatabaseFile === undefined
        ? null
        : new UnifiedSource(transferFromUnifiedDatabaseFile, log);
    return new ShardStorage(directory, durability, maxOpenDatabases, unified, { backup, log }, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
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
  readonly #unified: UnifiedSource | null;
  readonly #migration: MigrationOptions;
  readonly #revocations: RevocationFile;
  #empty: Buffer | undefined;

  constructor(
    directory: string,
    durability: Durability,
    maxOpen: number,
    unified: UnifiedSource | null,
    migration: MigrationOptions,
    unlock: () => void,
  ) {
    this.#directory = directory;
    this.#durability = durability;
    this.#pool = new HandlePool(maxOpen, (path) => this.#openFile(path));
    this.#unlock = unlock;
    this.#unified = unified;
    this.#migration = migration;
    this.#revocations = new RevocationFile(directory, durability);
    if (unified) this.#takeOverRevocations(unified);
  }

  async open(id: LibraryId): Promise<LibraryStorage> {
    this.#libraries.assertOpen();
    this.#takeOver(id);
    const access = this.#accessTo(id);
    // A file that is not ours is refused here and now.
    access.read(() => true);
    return this.#libraries.open(id, access);
  }

  /** In the order of file names. */
  async *list(after?: LibraryId): AsyncIterable<LibraryId> {
    const start = after === undefined ? '' : basename(this.#pathOf(after));
    const names = readdirSync(this.#directory).filter((name) => name.endsWith('.sqlite'));
    // A library keeps its place in the order when it is taken over.
    const awaited = new Map(this.#unified?.libraries().map((id) => [basename(this.#pathOf(id)), id]));
    const all = new Set([...names, ...awaited.keys()]);
    let listed = 0;
    for (const name of [...all].filter((each) => each > start).sort()) {
      this.#libraries.assertOpen();
      const path = join(this.#directory, name);
      if (path === this.#unified?.path) continue;
      const id = sizeOf(path) === 0 && awaited.has(name) ? awaited.get(name)! : this.#idIn(path);
      if (id !== null) yield id;
      if (++listed % LISTED_AT_ONCE === 0) await setImmediate();
    }
  }

  async setAside(id: LibraryId): Promise<string | null> {
    this.#libraries.assertOpen();
    const path = this.#pathOf(id);
    this.#pool.close(path);
    return isDamaged(path) ? setAside(path, Date.now()) : null;
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
    this.#unified?.close();
    this.#unlock();
  }

  /** A token that was revoked stays so. */
  #takeOverRevocations(unified: UnifiedSource): void {
    const rows = unified.revocations();
    if (rows.length === 0) return;
    const known = new Set(this.#revocations.read().map((row) => JSON.stringify(row)));
    for (const row of rows) if (!known.has(JSON.stringify(row))) this.#revocations.put(row);
  }

  /** Makes the library's file from its rows in the unified one, unless it has one: it may have been evicted since. */
  #takeOver(id: LibraryId): void {
    const path = this.#pathOf(id);
    if (this.#unified === null || this.#pool.find(path) || databaseExists(path)) return;
    if (this.#unified.has(id)) this.#unified.transfer(id, path, this.#emptyDatabase());
  }

  #accessTo(id: LibraryId): SqlAccess {
    const path = this.#pathOf(id);
    const use = () => {
      const { database } = this.#pool.find(path) ?? this.#firstUse(path, id);
      return database;
    };
    return {
      read: (work) =>
        this.#pool.find(path) || databaseExists(path) ? naming(path, () => work(use())) : undefined,
      write: async (work) => {
        if (!this.#pool.find(path) && !databaseExists(path)) createDatabase(path, this.#emptyDatabase());
        return naming(path, () => {
          const database = use();
          return database.driver.transaction(() => work(database));
        });
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
      // Listing migrates nothing.
      const inspection = open ? null : inspectFile(path);
      if (inspection?.kind === 'original') return this.#libraryOf(path, inspection.layout);
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
      const id = isDamaged(path) ? idNamed(basename(path)) : null;
      this.#migration.log.warn?.(
        { path, err: error },
        id === null ? 'A database file is passed over.' : 'A database file is damaged.',
      );
      return id;
    }
  }

  #pathOf(id: LibraryId): string {
    const { own, original } = shardNames(id);
    if (original !== null && isThere(join(this.#directory, original))) return join(this.#directory, original);
    return join(this.#directory, own);
  }

  #openFile(path: string): OpenDatabase {
    return openDatabase(path, {
      durability: this.#durability,
      cacheKiB: CACHE_KIB,
      original: { ...this.#migration, libraryOf: (layout) => this.#libraryOf(path, layout) },
    });
  }

  /** The original named a library's file for it. */
  #libraryOf(path: string, { unified, writer }: OriginalLayout): LibraryId {
    if (unified) {
      throw refusal(
        `${path} is a database of ${writer} with many libraries, in a directory of files with one each`,
        'Name it in transferFromUnifiedDatabaseFile, or use sqlStorage',
      );
    }
    const id = basename(path, '.sqlite') as LibraryId;
    if (this.#pathOf(id) === path) return id;
    throw refusal(
      `${path} is a database of ${writer}, but not under the name that it gives to a library`,
      'Rename it to <library id>.sqlite',
    );
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
