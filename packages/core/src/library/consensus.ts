import { countsWhileAway, type ServerOrder, type Timestamp } from '@verdant-web/protocol';
import type { ReplicaRow } from '../storage/rows.js';
import { laterOf } from './later-of.js';

/** Which replicas are here now. */
export interface Attendance {
  /** Whether the replica has an open socket that has synced. Such a replica is seen all the time. */
  hasSocket(replica: ReplicaOfUser): boolean;
  /** Whether the replica is connected: by such a socket, or over HTTP while its lease lasts. */
  isConnected(replica: ReplicaOfUser): boolean;
}

/** Until a replica has synced, anybody can say that theirs has its id. */
export type ReplicaOfUser = Pick<ReplicaRow, 'id' | 'userId'>;

/** What the replicas that count have in common. */
export interface Consensus {
  /** The logical time up to which each of them has acknowledged; null: none counts. */
  globalAck: Timestamp | null;
  /** The server order up to which each of them holds everything; null: none counts. */
  heldThrough: ServerOrder | null;
}

/** Whether a replica has not been seen since `activeSince` (ms). */
export const isTruant = (row: ReplicaRow, attendance: Attendance, activeSince: number): boolean =>
  row.lastSeen < activeSince && !attendance.hasSocket(row);

/** Whether others wait for this replica: it is not truant, and of a type that counts, or connected. */
const counts = (row: ReplicaRow, attendance: Attendance, activeSince: number): boolean =>
  !isTruant(row, attendance, activeSince) && (countsWhileAway(row.type) || attendance.isConnected(row));

/** What the replicas that count have acknowledged, as of now. */
export function findConsensus(
  replicas: Iterable<ReplicaRow>,
  attendance: Attendance,
  activeSince: number,
): Consensus {
  let globalAck: Timestamp | null = null;
  let heldThrough: ServerOrder | null = null;
  for (const row of replicas) {
    if (row.ackedTime === null || !counts(row, attendance, activeSince)) continue;
    if (globalAck === null || row.ackedTime < globalAck) globalAck = row.ackedTime;
    if (heldThrough === null || row.ackedOrder < heldThrough) heldThrough = row.ackedOrder;
  }
  return { globalAck, heldThrough };
}

/** Since when (ms) the replica has not been seen that turns truant next, of those that hold others back; null: none does. */
export function awaitedSince(
  replicas: Iterable<ReplicaRow>,
  attendance: Attendance,
  activeSince: number,
  order: ServerOrder,
): number | null {
  const counting = [...replicas].filter(
    (row) => row.ackedTime !== null && counts(row, attendance, activeSince),
  );
  let latest: Timestamp | null = null;
  for (const { ackedTime } of counting) latest = laterOf(latest, ackedTime!);
  const holdBack = counting.filter((row) => row.ackedOrder < order || row.ackedTime !== latest);
  return holdBack.length === 0 ? null : Math.min(...holdBack.map(({ lastSeen }) => lastSeen));
}
