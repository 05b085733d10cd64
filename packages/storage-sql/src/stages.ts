import type { StagedRows, StageId } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { putAccess } from './access.js';
import { putBaselines } from './baselines.js';
import type { SqlDatabase } from './database.js';
import { deleteLibrary, insertStage, type LibraryRecord } from './heads.js';
import { type OpenEpoch, openEpoch } from './open-epoch.js';
import { insertOperations } from './operations.js';

/** Rows that are staged under a key of their own. */
export type Stage = OpenEpoch;

/** What one open library has staged. */
export class Stages {
  readonly #stages = new Map<StageId, Stage>();

  /** Makes an empty stage, inside a transaction. */
  create(database: SqlDatabase, id: LibraryId): Stage {
    return openEpoch(database, insertStage(database, id));
  }

  keep(stage: Stage): StageId {
    const id = String(stage.key) as StageId;
    this.#stages.set(id, stage);
    return id;
  }

  find(id: StageId): Stage {
    const stage = this.#stages.get(id);
    if (!stage) throw new Error('There is no such stage');
    return stage;
  }

  /** Whether rows under this key may still be adopted. */
  has(key: number): boolean {
    return this.#stages.has(String(key) as StageId);
  }

  drop(id: StageId): void {
    this.#stages.delete(id);
  }

  clear(): void {
    this.#stages.clear();
  }
}

/** Adds a page to a stage, inside a transaction. */
export function stageRows(database: SqlDatabase, stage: Stage, rows: StagedRows): void {
  const scope = { ...stage, database };
  insertOperations(scope, rows.operations ?? []);
  putBaselines(scope, rows.baselines ?? []);
  putAccess(scope, rows.access ?? []);
  stage.objects.complete(database);
}

/** What a library without content may hold besides. */
const KEPT = ['replica', 'access', 'file'] as const;

/**
 * Moves what else a library without content holds to the stage, and takes the library's row away: the stage's is to take
 * its place. So the staged rows, which are many, stay where they are.
 */
export function adoptStage(database: SqlDatabase, library: LibraryRecord, stage: Stage): void {
  for (const table of ['operation', 'baseline']) {
    if (database.get(`SELECT 1 FROM ${table} WHERE library = ? LIMIT 1`, library.key)) {
      throw new Error('Staged rows are adopted by a library without content alone');
    }
  }
  for (const table of KEPT) {
    database.run(`UPDATE OR IGNORE ${table} SET library = ? WHERE library = ?`, stage.key, library.key);
    database.run(`DELETE FROM ${table} WHERE library = ?`, library.key);
  }
  database.run('DELETE FROM folded_key WHERE library = ?', library.key);
  database.run('DELETE FROM author WHERE library = ?', library.key);
  deleteLibrary(database, library.key);
}
