import { join } from 'node:path';
import type { RevocationRow } from '@verdant-web/core';
import { putRevocation, readRevocations } from '@verdant-web/storage-sql';
import { naming } from './database-failure.js';
import {
  createDatabase,
  databaseExists,
  emptyDatabase,
  type OpenDatabase,
  openDatabase,
} from './database-file.js';
import type { Durability } from './pragmas.js';

/** No library's file: all of those end in `.sqlite`. */
const NAME = '.verdant-revocations';
const CACHE_KIB = 256;

/**
 * Revocations of access tokens, beside the files of the libraries: most of them concern no one library. A database of
 * its own, which is created with the first revocation.
 */
export class RevocationFile {
  readonly #path: string;
  readonly #durability: Durability;
  #open: OpenDatabase | undefined;

  constructor(directory: string, durability: Durability) {
    this.#path = join(directory, NAME);
    this.#durability = durability;
  }

  read(): RevocationRow[] {
    return databaseExists(this.#path) ? naming(this.#path, () => readRevocations(this.#use().database)) : [];
  }

  put(row: RevocationRow): void {
    if (!databaseExists(this.#path)) createDatabase(this.#path, emptyDatabase());
    naming(this.#path, () => {
      const { database } = this.#use();
      database.driver.transaction(() => putRevocation(database, row));
    });
  }

  close(): void {
    this.#open?.close();
    this.#open = undefined;
  }

  #use(): OpenDatabase {
    this.#open ??= openDatabase(this.#path, { durability: this.#durability, cacheKiB: CACHE_KIB });
    return this.#open;
  }
}
