import type { DocumentRows } from '@verdant-web/core';
import type { Oid } from '@verdant-web/protocol';
import { findBaseline, nestedBaselines } from './baselines.js';
import { byTime, nestedOperations, operationsOf, type Scope } from './operations.js';

/** The rows of a document's root and of all that is nested in it. */
export function readDocument(scope: Scope, root: Oid): DocumentRows {
  const ofRoot = readObjects(scope, [root]);
  return {
    baselines: [...ofRoot.baselines, ...nestedBaselines(scope, root)],
    operations: [...ofRoot.operations, ...nestedOperations(scope, root)].sort(byTime),
  };
}

/** The rows of exactly these objects. */
export function readObjects(scope: Scope, oids: readonly Oid[]): DocumentRows {
  const inOrder = [...new Set(oids)].sort();
  return {
    baselines: inOrder.map((oid) => findBaseline(scope, oid)).filter((row) => row !== undefined),
    operations: inOrder.flatMap((oid) => operationsOf(scope, oid)),
  };
}
