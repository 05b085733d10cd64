import type { Foldable, FoldQuery, OperationRow } from '@verdant-web/core';
import type { Oid, ServerOrder, Timestamp } from '@verdant-web/protocol';
import { findBaseline } from './baselines.js';
import type { NewOperation } from './object-index.js';
import { operationsAt, operationsBefore, type Scope } from './operations.js';
import { decodeText } from './text.js';

/** A fold works on this much text at once, or on one operation that is larger. In UTF-16 units. */
const MAX_TEXT = 4 * 1024 * 1024;
/** How many operations a call looks at for each that it may return, lest one that finds nothing takes long. */
const LOOK_FACTOR = 8;
const CHUNK_ROWS = 256;

/** See `LibraryStorage.foldable`. */
export function findFoldable(scope: Scope, query: FoldQuery): Foldable {
  const found: FoundOperation[] = [];
  const baselines: Foldable['baselines'] = [];
  const answer = (next: ServerOrder | null): Foldable => ({
    operations: withRows(scope, found),
    baselines,
    next,
  });
  const seen = new Set<Oid>(query.except);
  let text = 0;
  let looked = query.after;
  let rest = query.limit * LOOK_FACTOR;
  for (const { order, oid, timestamp } of keysBetween(scope, query)) {
    if (rest-- <= 0) return answer(looked);
    if (timestamp < query.before && !seen.has(oid)) {
      seen.add(oid);
      const object = foldableOf(scope, oid, query, query.limit - found.length, MAX_TEXT - text);
      found.push(...object.operations);
      text += object.text;
      const baseline = object.operations.length > 0 ? findBaseline(scope, oid) : undefined;
      if (baseline) {
        baselines.push(baseline);
        text += baseline.snapshot.length;
      }
      // The rest of this object is found from the same place, once these are folded.
      if (object.more) return answer(looked);
    }
    looked = order;
    if (found.length >= query.limit || text >= MAX_TEXT) return answer(looked);
  }
  return answer(null);
}

/** Of the newest operations the rows are read together, when it is known which. */
type FoundOperation = OperationRow | NewOperation;

const hasRow = (operation: FoundOperation): operation is OperationRow => 'data' in operation;

function withRows(scope: Scope, found: readonly FoundOperation[]): OperationRow[] {
  const newest = found.filter((operation) => !hasRow(operation)).map(({ order }) => order);
  const rows = operationsAt(scope, newest);
  return found.map((operation) => (hasRow(operation) ? operation : rows.get(operation.order)!));
}

interface ObjectPart {
  operations: FoundOperation[];
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
    part.text += hasRow(operation) ? operation.data.length : operation.length;
  }
  return part;
}

interface LogKey {
  order: ServerOrder;
  oid: Oid;
  timestamp: Timestamp;
}

const CHUNK = `
SELECT server_order, oid, timestamp FROM operation
WHERE library = ? AND server_order > ? AND server_order <= ? ORDER BY server_order LIMIT ?`;

/** The keys of the log in server order: from the database, then those of the newest operations from memory. */
function* keysBetween({ database, key, objects }: Scope, { after, through }: FoldQuery): Iterable<LogKey> {
  const indexed = objects.hasRows ? Math.min(through, objects.through) : after;
  for (let from = after, more = from < indexed; more; ) {
    const chunk = database.all<readonly [number, string, string]>(CHUNK, key, from, indexed, CHUNK_ROWS);
    for (const [order, oid, timestamp] of chunk) {
      yield { order, oid: decodeText(oid), timestamp: timestamp as Timestamp };
      from = order;
    }
    more = chunk.length === CHUNK_ROWS;
  }
  for (const operation of objects.newestAfter(after)) {
    if (operation.order > through) return;
    yield operation;
  }
}
