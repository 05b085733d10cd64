import { applyOperations } from '@verdant-web/common';
import type { Baseline, Operation } from './messages.js';

type Base = Parameters<typeof applyOperations>[0];
type ReferenceOperation = Parameters<typeof applyOperations>[1][number];

/** What the reference makes of baselines and operations: objects by oid, absent where they are deleted. */
export function documentsOf({
  baselines = [],
  operations,
}: {
  baselines?: readonly Baseline[];
  operations: readonly Operation[];
}): Record<string, unknown> {
  const bases = new Map(baselines.map(({ oid, snapshot }) => [oid, structuredClone(snapshot)]));
  const byOid = new Map<string, Operation[]>();
  for (const operation of operations) {
    const known = byOid.get(operation.oid);
    if (known) known.push(operation);
    else byOid.set(operation.oid, [operation]);
  }
  const documents: [string, unknown][] = [];
  for (const oid of new Set([...bases.keys(), ...byOid.keys()])) {
    const inOrder = (byOid.get(oid) ?? []).sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
    const object = applyOperations(
      bases.get(oid) as Base,
      structuredClone(inOrder) as unknown as ReferenceOperation[],
    );
    // As JSON has it: the reference leaves holes in lists, which reach nobody but as null.
    if (object !== undefined) documents.push([oid, JSON.parse(JSON.stringify(object)) as unknown]);
  }
  return Object.fromEntries(documents.sort(([a], [b]) => (a < b ? -1 : 1)));
}
