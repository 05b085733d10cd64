import type { OperationKey } from '@verdant-web/core';
import type { ReplicaId, ServerOrder, Timestamp } from '@verdant-web/protocol';
import type { Scope } from './operations.js';
import { encodeText } from './text.js';

// Left to itself, SQLite would search by the primary key, which is to read the whole library.
const IN_LOG =
  'SELECT author FROM operation INDEXED BY operation_by_object WHERE library = ? AND oid = ? AND timestamp = ?';
const FOLDED = 'SELECT 1 FROM folded_key WHERE library = ? AND author = ? AND timestamp = ? AND oid = ?';

/** Whether this operation was stored, folded since or not. */
export function isStored({ database, key, authors }: Scope, operation: OperationKey): boolean {
  const author = authors.find(operation.replicaId);
  if (author === undefined) return false;
  const oid = encodeText(operation.oid);
  const inLog = database.all<readonly [number]>(IN_LOG, key, oid, operation.timestamp);
  if (inLog.some(([other]) => other === author)) return true;
  return database.get(FOLDED, key, author, operation.timestamp, oid) !== undefined;
}

const RANGE = 'library = ? AND server_order BETWEEN ? AND ?';
const KEEP = `
INSERT OR IGNORE INTO folded_key (library, author, timestamp, oid)
SELECT library, author, timestamp, oid FROM operation WHERE ${RANGE}`;
const REMOVE = `DELETE FROM operation WHERE ${RANGE}`;

/** Takes operations out of the log; their keys stay. */
export function foldOperations({ database, key }: Scope, orders: readonly ServerOrder[]): void {
  for (const [first, last] of rangesOf(orders)) {
    database.run(KEEP, key, first, last);
    database.run(REMOVE, key, first, last);
  }
}

/** Most of what is folded at once was stored in a row. */
function rangesOf(orders: readonly ServerOrder[]): [first: ServerOrder, last: ServerOrder][] {
  const ranges: [ServerOrder, ServerOrder][] = [];
  for (const order of [...orders].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range && order <= range[1] + 1) range[1] = order;
    else ranges.push([order, order]);
  }
  return ranges;
}

const DROP = 'DELETE FROM folded_key WHERE library = ? AND author = ? AND timestamp <= ?';

/** Forgets the keys of one replica's folded operations, up to a time. */
export function dropKeys({ database, key, authors }: Scope, replicaId: ReplicaId, through: Timestamp): void {
  const author = authors.find(replicaId);
  if (author !== undefined) database.run(DROP, key, author, through);
}
