import type { PendingReply, ReplicaRow } from '@verdant-web/core';
import type { ReplicaId, ReplicaType, Timestamp } from '@verdant-web/protocol';
import type { SqlDatabase } from './database.js';
import type { Scope } from './operations.js';
import type { Tail } from './tail.js';
import { decodeText, encodeText } from './text.js';

const COLUMNS = 'id, user_id, type, acked_order, acked_time, last_seen, written_through, last_reset, pending';

const PUT = `
INSERT OR REPLACE INTO replica (library, ${COLUMNS}) VALUES (?, ${COLUMNS.replace(/\w+/g, '?')})`;

// What was seen at the same time stays where it is in the index by that: a page less for each commit.
const UPDATE = `
UPDATE replica SET acked_order = ?, acked_time = ?, written_through = ?, last_reset = ?, pending = ?
WHERE library = ? AND id = ? AND last_seen = ? AND user_id = ? AND type = ?`;

export function putReplicas(database: SqlDatabase, key: number, rows: readonly ReplicaRow[]): void {
  for (const row of rows) {
    const { type, ackedOrder, ackedTime, lastSeen, writtenThrough, lastReset } = row;
    const [id, userId, pending] = [encodeText(row.id), encodeText(row.userId), JSON.stringify(row.pending)];
    const acked = [ackedOrder, ackedTime] as const;
    const rest = [writtenThrough, lastReset, pending] as const;
    if (database.run(UPDATE, ...acked, ...rest, key, id, lastSeen, userId, type) > 0) continue;
    database.run(PUT, key, id, userId, type, ...acked, lastSeen, ...rest);
  }
}

const REMOVE = 'DELETE FROM replica WHERE library = ? AND id = ?';

export function removeReplicas({ database, key }: Scope, ids: readonly ReplicaId[]): void {
  for (const id of ids) database.run(REMOVE, key, encodeText(id));
}

const ONE = `SELECT ${COLUMNS} FROM replica WHERE library = ? AND id = ?`;

/** The row as it was last written: {@link Tail} knows whether it is behind. */
export function storedReplica(database: SqlDatabase, key: number, id: ReplicaId): ReplicaRow | undefined {
  const row = database.get<Row>(ONE, key, encodeText(id));
  return row && decode(row);
}

export const findReplicas = ({ database, key, tail }: Scope, ids: readonly ReplicaId[]): ReplicaRow[] =>
  ids.map((id) => tail.moved(id) ?? storedReplica(database, key, id)).filter((row) => row !== undefined);

const SEEN = `SELECT ${COLUMNS} FROM replica WHERE library = ? AND last_seen >= ?`;

/** Replicas seen at or after `since` (ms). */
export const replicasSeen = ({ database, key, tail }: Scope, since: number): ReplicaRow[] =>
  database.all<Row>(SEEN, key, since).map((row) => asItIs(tail, row));

const ALL = `SELECT ${COLUMNS} FROM replica WHERE library = ? ORDER BY id`;

export const allReplicas = ({ database, key, tail }: Scope): ReplicaRow[] =>
  database.all<Row>(ALL, key).map((row) => asItIs(tail, row));

function asItIs(tail: Tail, row: Row): ReplicaRow {
  const replica = decode(row);
  return tail.moved(replica.id) ?? replica;
}

type Row = readonly [
  id: string,
  userId: string,
  type: number,
  ackedOrder: number,
  ackedTime: string | null,
  lastSeen: number,
  writtenThrough: string | null,
  lastReset: string | null,
  pending: string,
];

function decode(row: Row): ReplicaRow {
  const [id, userId, type, ackedOrder, ackedTime, lastSeen, writtenThrough, lastReset, pending] = row;
  return {
    id: decodeText(id),
    userId: decodeText(userId),
    type: type as ReplicaType,
    ackedOrder,
    ackedTime: ackedTime as Timestamp | null,
    lastSeen,
    writtenThrough: writtenThrough as Timestamp | null,
    lastReset: lastReset as Timestamp | null,
    pending: JSON.parse(pending) as PendingReply[],
  };
}
