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

const KEEP = `
INSERT OR IGNORE INTO folded_key (library, author, timestamp, oid)
SELECT library, author, timestamp, oid FROM operation WHERE library = ? AND server_order = ?`;
const REMOVE = 'DELETE FROM operation WHERE library = ? AND server_order = ?';

/** Takes operations out of the log; their keys stay. */
export function foldOperations({ database, key }: Scope, orders: readonly ServerOrder[]): void {
  for (const order of orders) {
    database.run(KEEP, key, order);
    database.run(REMOVE, key, order);
  }
}

const DROP = 'DELETE FROM folded_key WHERE library = ? AND author = ? AND timestamp <= ?';

/** Forgets the keys of one replica's folded operations, up to a time. */
export function dropKeys({ database, key, authors }: Scope, replicaId: ReplicaId, through: Timestamp): void {
  const author = authors.find(replicaId);
  if (author !== undefined) database.run(DROP, key, author, through);
}
