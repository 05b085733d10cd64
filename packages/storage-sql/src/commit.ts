import { type CommitResult, emptyHead, type LibraryChange } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { putAccess } from './access.js';
import { putBaselines, removeBaselines } from './baselines.js';
import type { SqlDatabase } from './database.js';
import { applyFiles } from './files.js';
import {
  evictedKeys,
  findLibrary,
  insertLibrary,
  type LibraryRecord,
  setEpoch,
  updateHead,
} from './heads.js';
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
  scopeOf: (library: LibraryRecord) => Scope,
): CommitResult {
  const { head, expect } = change;
  const library = findLibrary(database, id);
  const { epoch, version } = library ?? emptyHead;
  if (epoch !== expect.epoch || version !== expect.version) {
    return { ok: false, conflict: library ? scopeOf(library).tail.head : { ...emptyHead } };
  }
  if (library && !stage) return extendOrApply(scopeOf(library), change, id);
  if (library && stage) adoptStage(database, library, stage);
  const key = stage?.key ?? insertLibrary(database, id, head);
  if (stage) {
    setEpoch(database, key, head.epoch);
    updateHead(database, key, head);
  }
  return apply(scopeOf({ key, epoch: head.epoch, version: head.version }), change, id);
}

function extendOrApply(scope: Scope, change: LibraryChange, id: LibraryId): CommitResult {
  const notes = scope.tail.notesOn(change);
  if (!notes) return apply(scope, change, id);
  insertOperations(scope, change.operations ?? [], notes);
  scope.objects.catchUp(scope.database, change.head.order);
  scope.tail.extend(change);
  return { ok: true };
}

function apply(scope: Scope, change: LibraryChange, id: LibraryId): CommitResult {
  const { database } = scope;
  scope.tail.end(database, change);
  applyRows(scope, change);
  if (hasFiles(change)) applyFiles(scope, change, evictedKeys(database, id));
  return { ok: true };
}

/** Removals come before insertions, so that a change can take a row away and put a fresh one in its place. */
function applyRows(scope: Scope, change: LibraryChange): void {
  insertOperations(scope, change.operations ?? []);
  foldOperations(scope, change.fold ?? []);
  for (const { replicaId, through } of change.dropKeys ?? []) dropKeys(scope, replicaId, through);
  removeBaselines(scope, change.removeBaselines ?? []);
  putBaselines(scope, change.baselines ?? []);
  removeReplicas(scope, change.removeReplicas ?? []);
  putReplicas(scope.database, scope.key, change.replicas ?? []);
  putAccess(scope, change.access ?? []);
  scope.objects.catchUp(scope.database, change.head.order);
}

const hasFiles = ({ files = [], markFiles = [], removeFiles = [] }: LibraryChange): boolean =>
  files.length + markFiles.length + removeFiles.length > 0;
