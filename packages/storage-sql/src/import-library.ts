import type { Head, LibraryChange } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { putAccess } from './access.js';
import { putBaselines } from './baselines.js';
import type { SqlDatabase } from './database.js';
import { applyFiles } from './files.js';
import { insertLibrary, updateHead } from './heads.js';
import { openEpoch } from './open-epoch.js';
import { insertOperations, type Scope } from './operations.js';
import { putReplicas } from './replicas.js';

/** Rows of a library that comes from elsewhere. */
export type ImportedRows = Pick<LibraryChange, 'operations' | 'baselines' | 'replicas' | 'access' | 'files'>;

/**
 * Writes a library that this database does not have yet, part by part and as it is, inside of one transaction of the
 * caller's. Memory is bounded by the largest part.
 */
export class LibraryImport {
  readonly #scope: Scope;

  constructor(database: SqlDatabase, id: LibraryId, head: Head) {
    const key = insertLibrary(database, id, head);
    this.#scope = { ...openEpoch(database, key), database };
  }

  add(rows: ImportedRows): void {
    insertOperations(this.#scope, rows.operations ?? []);
    putBaselines(this.#scope, rows.baselines ?? []);
    putReplicas(this.#scope.database, this.#scope.key, rows.replicas ?? []);
    putAccess(this.#scope, rows.access ?? []);
    if (rows.files) applyFiles(this.#scope, { files: rows.files }, []);
    this.#scope.objects.complete(this.#scope.database);
  }

  /** The head, now that all of it is known. */
  finish(head: Head): void {
    updateHead(this.#scope.database, this.#scope.key, head);
  }
}
