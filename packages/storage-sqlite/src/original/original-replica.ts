import type { ReplicaRow } from '@verdant-web/core';
import {
  clampTimestamp,
  countsWhileAway,
  type ReplicaId,
  type Timestamp,
  timestampMs,
  type UserId,
} from '@verdant-web/protocol';
import type { RawReplica } from './source-library.js';
import { EARLIEST, usableCount, usableId, usableTimestamp, usableType } from './usable-rows.js';

/** After so long without a word the original server waited for a replica no more, unless it was told otherwise. */
const TRUANT_MS = 30 * 24 * 60 * 60 * 1000;

/** A replica as the original server knew it. */
export interface OriginalReplica
  extends Pick<ReplicaRow, 'id' | 'userId' | 'type' | 'ackedTime' | 'lastSeen'> {
  /** In the original's orders. */
  ackedOrder: number;
  /** Not seen for so long, when the library was last used, that others went on without it. */
  wasTruant: boolean;
}

/** Null: it cannot be told who it is. */
export function readReplica(row: RawReplica, now: number): OriginalReplica | null {
  const [id, clientId, type, lastSeen, ackedTime, ackedOrder] = row;
  const [replicaId, userId] = [usableId(id), usableId(clientId)];
  if (replicaId === null || userId === null) return null;
  const time = usableTimestamp(ackedTime);
  return {
    id: replicaId as ReplicaId,
    userId: userId as UserId,
    type: usableType(type),
    ackedTime: time && clampTimestamp(time, now),
    // The original never took a replica for truant of which it does not say when it was seen.
    lastSeen: Math.min(usableCount(lastSeen) ?? now, now),
    ackedOrder: usableCount(ackedOrder) ?? 0,
    wasTruant: false,
  };
}

export function markTruants(replicas: readonly OriginalReplica[]): void {
  let latest = 0;
  for (const { lastSeen } of replicas) latest = Math.max(latest, lastSeen);
  for (const replica of replicas) replica.wasTruant = replica.lastSeen < latest - TRUANT_MS;
}

/** The global ack that the original last announced: what is dated below it, clients may have folded. */
export function announcedAck(replicas: readonly OriginalReplica[]): Timestamp | null {
  let lowest: Timestamp | null = null;
  for (const { ackedTime, type, wasTruant } of replicas) {
    if (ackedTime === null || wasTruant || !countsWhileAway(type)) continue;
    if (lowest === null || ackedTime < lowest) lowest = ackedTime;
  }
  return lowest;
}

/** Whether it was sent everything, and has not said that it got it. */
export const isUnproven = ({ ackedTime, ackedOrder }: OriginalReplica): boolean =>
  ackedTime === null && ackedOrder === 0;

/** What is known of the library once all of it was seen. */
export interface Outcome {
  /** Orders up to here stand for baselines, and for what was folded to nothing: 0 or 1. */
  foldedThrough: number;
  order: number;
  latestBaseline: Timestamp | null;
  announcedAck: Timestamp | null;
}

/** What is known of what a replica holds. */
export interface Holdings {
  /** How many operations, from the first on, it holds. */
  held: number;
  /** Whether it may hold, and have folded, some of the others. */
  unsure: boolean;
  /** The latest time under which it wrote one. */
  writtenThrough: Timestamp | null;
}

/** The replica's row. */
export function replicaRow(
  replica: OriginalReplica,
  { held, unsure, writtenThrough }: Holdings,
  outcome: Outcome,
): ReplicaRow {
  const { id, userId, type, lastSeen, ackedTime } = replica;
  const through = outcome.foldedThrough + held;
  const row: ReplicaRow = {
    id,
    userId,
    type,
    lastSeen,
    ackedTime: ackedTime ?? outcome.announcedAck,
    ackedOrder: through,
    writtenThrough,
    lastReset: null,
    pending: [],
  };
  if (outcome.order > 0 && isUnproven(replica)) {
    // The first sync that names a time proves that it applied what it was sent.
    const reply = { timestamp: EARLIEST, order: through, reset: 'first', late: false } as const;
    return { ...row, ackedOrder: 0, pending: [reply] };
  }
  if (!holdsBaselines(replica, through, outcome)) return { ...row, ackedOrder: 0 };
  // No `since` proves anything: the original did not record what it told the replica.
  const owed = { timestamp: EARLIEST, order: through, reset: 'owed', late: true } as const;
  return unsure ? { ...row, pending: [owed] } : row;
}

/** Where not, it will be reset. */
function holdsBaselines(replica: OriginalReplica, through: number, outcome: Outcome): boolean {
  const { foldedThrough, order, latestBaseline } = outcome;
  if (foldedThrough === 0) return true;
  if (replica.wasTruant && through < order) return false;
  if (replica.ackedOrder > 0) return true;
  // Baselines that founded a library had no order: whoever synced after they were written has them.
  return (
    latestBaseline !== null &&
    replica.ackedTime !== null &&
    replica.ackedTime >= latestBaseline &&
    replica.lastSeen >= timestampMs(latestBaseline)
  );
}
