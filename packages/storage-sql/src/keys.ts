import type { OperationKey } from '@verdant-web/core';
import type { ReplicaId, ServerOrder, Timestamp } from '@verdant-web/protocol';
import type { Scope } from './operations.js';
import { rangesOf } from './order-ranges.js';
import { encodeText } from './text.js';

const IN_LOG = `
SELECT author FROM object_operation AS object CROSS JOIN operation
  ON operation.library = object.library AND operation.server_order = object.server_order
WHERE object.library = ? AND object.oid = ? AND object.timestamp = ?`;
const FOLDED = 'SELECT 1 FROM folded_key WHERE library = ? AND author = ? AND timestamp = ? AND oid = ?';

/** Whether this operation was stored, folded since or not. */
export function isStored({ database, key, authors, objects }: Scope, operation: OperationKey): boolean {
  const { timestamp } = operation;
  const author = authors.find(operation.replicaId);
  if (author === undefined) return false;
  const isNew = objects
    .newestOf(operation.oid)
    .some((other) => other.timestamp === timestamp && other.author === author);
  if (isNew) return true;
  const oid = encodeText(operation.oid);
  const indexed = objects.hasRows ? database.all<readonly [number]>(IN_LOG, key, oid, timestamp) : [];
  if (indexed.some(([other]) => other === author)) return true;
  return database.get(FOLDED, key, author, timestamp, oid) !== undefined;
}

const RANGE = 'library = ? AND server_order BETWEEN ? AND ?';
const KEEP = `
INSERT OR IGNORE INTO folded_key (library, author, timestamp, oid)
SELECT library, author, timestamp, oid FROM operation WHERE ${RANGE}`;
const REMOVE = `DELETE FROM operation WHERE ${RANGE}`;

/** Takes operations out of the log; their keys stay. */
export function foldOperations({ database, key, objects }: Scope, orders: readonly ServerOrder[]): void {
  const ranges = rangesOf(orders);
  objects.remove(database, ranges);
  for (const [first, last] of ranges) {
    database.run(KEEP, key, first, last);
    database.run(REMOVE, key, first, last);
  }
}

const DROP = 'DELETE FROM folded_key WHERE library = ? AND author = ? AND timestamp <= ?';

/** Forgets the keys of one replica's folded operations, up to a time. */
export function dropKeys({ database, key, authors }: Scope, replicaId: ReplicaId, through: Timestamp): void {
  const author = authors.find(replicaId);
  if (author !== undefined) database.run(DROP, key, author, through);
}
