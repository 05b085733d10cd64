import type { Oid } from '@verdant-web/protocol';
import type { OperationRow } from './rows.js';
import type { Foldable, FoldQuery, LibraryStorage } from './storage.js';

/**
 * `LibraryStorage.foldable` by means of a backend's other methods, for one that has no index to do it better: reads the log
 * from `query.after` on, and looks up the objects that it meets.
 *
 * @example
 * ```ts
 * const library: LibraryStorage = {
 *   foldable: (query) => findFoldable(library, query),
 *   // …
 * };
 * ```
 */
export async function findFoldable(
  library: Pick<LibraryStorage, 'readOperations' | 'lookup'>,
  query: FoldQuery,
): Promise<Foldable> {
  const found: Foldable = { operations: [], baselines: [], next: null };
  const seen = new Set<Oid>(query.except);
  let looked = query.after;
  for await (const page of library.readOperations(query.after, query.through)) {
    const met = page.filter((row) => row.timestamp < query.before && !seen.has(row.oid));
    const objects = [...new Set(met.map((row) => row.oid))];
    const rows = (await library.lookup({ keys: [], replicas: [], access: [], objects })).objects;
    const ofObject = groupByObject(rows.operations);
    const baselineOf = new Map(rows.baselines.map((row) => [row.oid, row]));
    for (const oid of objects) {
      seen.add(oid);
      const may = foldableOf(ofObject.get(oid) ?? [], query);
      const room = query.limit - found.operations.length;
      found.operations.push(...may.slice(0, room));
      const baseline = baselineOf.get(oid);
      if (baseline && may.length > 0) found.baselines.push(baseline);
      // What there was no room for is found from the same place, once these are folded.
      if (may.length >= room) return { ...found, next: looked };
    }
    looked = page.at(-1)?.order ?? looked;
  }
  return found;
}

function groupByObject(rows: readonly OperationRow[]): Map<Oid, OperationRow[]> {
  const groups = new Map<Oid, OperationRow[]>();
  for (const row of rows) {
    const group = groups.get(row.oid);
    if (group) group.push(row);
    else groups.set(row.oid, [row]);
  }
  return groups;
}

/** From the object's earliest operation up to the first that has to stay. Given, and returned, in timestamp order. */
export function foldableOf(
  operations: readonly OperationRow[],
  { through, before }: Pick<FoldQuery, 'through' | 'before'>,
): OperationRow[] {
  const stays = operations.findIndex((row) => row.order > through || row.timestamp >= before);
  return operations.slice(0, stays < 0 ? operations.length : stays);
}
