import type { PlainObject, SyncMessage } from '@verdant-web/protocol';
import { compareTimestamps } from '@verdant-web/protocol';
import type { BaselineRow, OperationRow } from '../storage/rows.js';
import { planRebase } from './rebase.js';

/** Everything that a library holds, or that a message brings. */
export interface Contents {
  baselines: readonly BaselineRow[];
  operations: readonly OperationRow[];
}

/** Whether both come to the same documents, however much of either is folded. */
export function sameContent(one: Contents, other: Contents): boolean {
  const [a, b] = [documentsOf(one), documentsOf(other)];
  return a.size === b.size && [...a].every(([oid, state]) => equal(state, b.get(oid)));
}

/** What a sync brings, as rows. */
export const contentsOf = ({ replicaId, baselines, operations }: SyncMessage): Contents => ({
  baselines: baselines.map(({ oid, snapshot, timestamp }) => ({
    oid,
    snapshot: JSON.stringify(snapshot),
    timestamp,
    authz: null,
  })),
  operations: operations.map(({ oid, timestamp, data }, order) => ({
    order,
    replicaId,
    oid,
    timestamp,
    data: JSON.stringify(data),
    authz: null,
  })),
});

function documentsOf({ baselines, operations }: Contents): Map<string, unknown> {
  const documents = new Map<string, unknown>(
    baselines.map(({ oid, snapshot }) => [oid, JSON.parse(snapshot)]),
  );
  const sorted = [...operations].sort((a, b) =>
    a.oid < b.oid ? -1 : a.oid > b.oid ? 1 : compareTimestamps(a.timestamp, b.timestamp),
  );
  const folded = planRebase(sorted, baselines, Number.POSITIVE_INFINITY);
  for (const { oid, snapshot } of folded.baselines) documents.set(oid, JSON.parse(snapshot));
  for (const oid of folded.removeBaselines) documents.delete(oid);
  return documents;
}

/** Equal as JSON, whatever the order of the fields. */
function equal(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every(
      (name) =>
        Object.hasOwn(b, name) && equal((a as PlainObject)[name as never], (b as PlainObject)[name as never]),
    )
  );
}
