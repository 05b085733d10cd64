import type { Foldable, FoldQuery, OperationRow } from '@verdant-web/core';
import type { Oid, ServerOrder } from '@verdant-web/protocol';
import { findBaseline } from './baselines.js';
import { operationsBefore, type Scope } from './operations.js';
import { decodeText } from './text.js';

/** A fold works on this much text at once, or on one operation that is larger. In UTF-16 units. */
const MAX_TEXT = 4 * 1024 * 1024;
/** How many operations a call looks at for each that it may return, lest one that finds nothing takes long. */
const LOOK_FACTOR = 8;
const MAX_CHUNK_ROWS = 256;

/** See `LibraryStorage.foldable`. */
export function findFoldable(scope: Scope, query: FoldQuery): Foldable {
  const found: Foldable = { operations: [], baselines: [], next: null };
  const seen = new Set<Oid>();
  let text = 0;
  let looked = query.after;
  const rows = Math.min(query.limit, MAX_CHUNK_ROWS);
  for (let rest = query.limit * LOOK_FACTOR; rest > 0; rest -= rows) {
    const chunk = readChunk(scope, looked, query.through, rows);
    for (const { order, oid, timestamp } of chunk) {
      if (timestamp < query.before && !seen.has(oid)) {
        seen.add(oid);
        const object = foldableOf(scope, oid, query, query.limit - found.operations.length, MAX_TEXT - text);
        found.operations.push(...object.operations);
        text += object.text;
        const baseline = object.operations.length > 0 ? findBaseline(scope, oid) : undefined;
        if (baseline) {
          found.baselines.push(baseline);
          text += baseline.snapshot.length;
        }
        // The rest of this object is found from the same place, once these are folded.
        if (object.more) return { ...found, next: looked };
      }
      looked = order;
      if (found.operations.length >= query.limit || text >= MAX_TEXT) return { ...found, next: looked };
    }
    if (chunk.length < rows) return found;
  }
  return { ...found, next: looked };
}

interface ObjectPart {
  operations: OperationRow[];
  /** Their size. */
  text: number;
  /** There are more that may be folded, for which there was no room. */
  more: boolean;
}

/** From the object's earliest operation up to the first that has to stay, as far as there is room: at least one. */
function foldableOf(scope: Scope, oid: Oid, query: FoldQuery, rows: number, room: number): ObjectPart {
  const part: ObjectPart = { operations: [], text: 0, more: false };
  for (const operation of operationsBefore(scope, oid, query.before)) {
    if (operation.order > query.through) break;
    if (part.operations.length > 0 && (part.operations.length >= rows || part.text >= room)) {
      return { ...part, more: true };
    }
    part.operations.push(operation);
    part.text += operation.data.length;
  }
  return part;
}

const CHUNK = `
SELECT server_order, oid, timestamp FROM operation
WHERE library = ? AND server_order > ? AND server_order <= ? ORDER BY server_order LIMIT ?`;

function readChunk({ database, key }: Scope, after: ServerOrder, through: ServerOrder, rows: number) {
  return database
    .all<readonly [order: number, oid: string, timestamp: string]>(CHUNK, key, after, through, rows)
    .map(([order, oid, timestamp]) => ({ order, oid: decodeText<Oid>(oid), timestamp }));
}
