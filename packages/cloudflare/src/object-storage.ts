import type { LibraryStorage, RevocationRow, Storage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import {
  assertSchemaVersion,
  createSchema,
  evictedKeys,
  firstRelease,
  OpenLibraries,
  putRevocation,
  readRevocations,
  SCHEMA_VERSION,
  type SqlAccess,
  SqlDatabase,
  upgradeSchema,
} from '@verdant-web/storage-sql';
import { ObjectFacts } from './object-facts.js';
import type { ObjectStorageApi } from './platform.js';
import { ObjectSqlDriver } from './sql-driver.js';

/** A row has at most 2 MB here; what stands beside an operation or a snapshot needs some of it. */
const MAX_VALUE_BYTES = 2_000_000 - 64 * 1024;

/**
 * Storage in the SQLite database of the Durable Object at hand. Nothing leaves the object before what was written is
 * durable: the runtime holds back answers and messages until then.
 *
 * @throws {VerdantError} Configuration (5010) where the database was written by a newer version.
 */
export class ObjectStorage implements Storage {
  readonly limits = { maxValueBytes: MAX_VALUE_BYTES, multiProcess: false };
  readonly facts: ObjectFacts;
  readonly #database: SqlDatabase;
  readonly #libraries = new OpenLibraries();
  readonly #access: SqlAccess = {
    read: (work) => this.#read(work),
    write: (work) => this.#write(work),
    release: () => {},
  };
  #exists: boolean;

  constructor(storage: ObjectStorageApi) {
    const driver = new ObjectSqlDriver(storage);
    this.#database = new SqlDatabase(driver);
    this.facts = new ObjectFacts(this.#database);
    const layout = this.facts.get('layout');
    this.#exists = layout !== null;
    if (layout === null || Number(layout) === SCHEMA_VERSION) return;
    assertSchemaVersion(Number(layout), 'The database of this Durable Object');
    driver.transaction(() => {
      upgradeSchema(driver, Number(layout));
      this.facts.set('layout', String(SCHEMA_VERSION));
    });
  }

  async open(id: LibraryId): Promise<LibraryStorage> {
    return this.#libraries.open(id, this.#access);
  }

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

  /** When (ms) the file was released that nothing has referred to for longest; null: there is none. */
  firstRelease(): number | null {
    return this.#read(firstRelease) ?? null;
  }

  /** Whether rows or files are left of what was evicted of the library, or of what was staged for it. */
  holdsEvicted(id: string): boolean {
    return this.#read((database) => evictedKeys(database, id as LibraryId).length > 0) ?? false;
  }

  async close(): Promise<void> {
    this.#libraries.close('The storage was closed');
  }

  #read<T>(work: (database: SqlDatabase) => T): T | undefined {
    return this.#exists ? work(this.#database) : undefined;
  }

  async #write<T>(work: (database: SqlDatabase) => T): Promise<T> {
    const { driver } = this.#database;
    if (this.#exists) return driver.transaction(() => work(this.#database));
    const result = driver.transaction(() => {
      createSchema(driver);
      this.facts.set('layout', String(SCHEMA_VERSION));
      return work(this.#database);
    });
    this.#exists = true;
    return result;
  }
}
