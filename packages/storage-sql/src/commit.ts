import { type CommitResult, emptyHead, type LibraryChange } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { putAccess } from './access.js';
import { putBaselines, removeBaselines } from './baselines.js';
import type { SqlDatabase } from './database.js';
import { applyFiles } from './files.js';
import { advanceHead, evictedKeys, findLibrary, insertLibrary, updateHead } from './heads.js';
import { dropKeys, foldOperations } from './keys.js';
import { insertOperations, type Scope } from './operations.js';
import { putReplicas, removeReplicas } from './replicas.js';
import { adoptStage, type Stage } from './stages.js';

/** Makes a change, inside a transaction, unless the library has moved on. See `LibraryStorage.commit`. */
export function commitChange(
  database: SqlDatabase,
  id: LibraryId,
  change: LibraryChange,
  stage: Stage | null,
  scopeOf: (key: number) => Scope,
): CommitResult {
  const advanced = stage ? null : advanceHead(database, id, change.expect, change.head);
  const key = advanced ?? putHead(database, id, change, stage);
  if (typeof key !== 'number') return key;
  const scope = scopeOf(key);
  applyRows(scope, change);
  if (hasFiles(change)) applyFiles(scope, change, evictedKeys(database, id));
  return { ok: true };
}

/** The first head of a library, or that of one whose content was staged. Returns its key. */
function putHead(
  database: SqlDatabase,
  id: LibraryId,
  { head, expect }: LibraryChange,
  stage: Stage | null,
): number | Extract<CommitResult, { ok: false }> {
  const library = findLibrary(database, id);
  const { epoch, version } = library?.head ?? emptyHead;
  if (epoch !== expect.epoch || version !== expect.version) {
    return { ok: false, conflict: library?.head ?? { ...emptyHead } };
  }
  if (stage && library) adoptStage(database, library, stage);
  const key = stage?.key ?? library?.key ?? insertLibrary(database, id, head);
  // First: from here on what was staged is the library, and no leftover.
  if (library || stage) updateHead(database, key, head);
  return key;
}

/** Removals come before insertions, so that a change can take a row away and put a fresh one in its place. */
function applyRows(scope: Scope, change: LibraryChange): void {
  insertOperations(scope, change.operations ?? []);
  foldOperations(scope, change.fold ?? []);
  for (const { replicaId, through } of change.dropKeys ?? []) dropKeys(scope, replicaId, through);
  removeBaselines(scope, change.removeBaselines ?? []);
  putBaselines(scope, change.baselines ?? []);
  removeReplicas(scope, change.removeReplicas ?? []);
  putReplicas(scope, change.replicas ?? []);
  putAccess(scope, change.access ?? []);
  scope.objects.catchUp(scope.database, change.head.order);
}

const hasFiles = ({ files = [], markFiles = [], removeFiles = [] }: LibraryChange): boolean =>
  files.length + markFiles.length + removeFiles.length > 0;
