import type { Oid } from '@verdant-web/protocol';
import { foldableOf } from '../storage/find-foldable.js';
import type { OperationRow } from '../storage/rows.js';
import type { Foldable, FoldQuery } from '../storage/storage.js';
import { copy, type MemoryLibrary } from './library.js';

/** See `LibraryStorage.foldable`. */
export function findFoldable(library: MemoryLibrary, query: FoldQuery): Foldable {
  const found: Foldable = { operations: [], baselines: [], next: null };
  const seen = new Set<Oid>(query.except);
  let looked = query.after;
  for (const { order, oid, timestamp } of library.log.range(query.after, query.through)) {
    if (timestamp < query.before && !seen.has(oid)) {
      seen.add(oid);
      const may = foldableOf(library.log.ofObject(oid), query);
      const room = query.limit - found.operations.length;
      if (may.length > 0) take(library, oid, may.slice(0, room), found);
      // The rest of this object is found from the same place, once these are folded.
      if (may.length > room) return { ...found, next: looked };
    }
    looked = order;
    if (found.operations.length >= query.limit) return { ...found, next: looked };
  }
  return found;
}

function take(library: MemoryLibrary, oid: Oid, operations: OperationRow[], into: Foldable): void {
  into.operations.push(...operations.map(copy));
  const baseline = library.baselines.get(oid);
  if (baseline) into.baselines.push({ ...baseline });
}
