import type { Timestamp } from '@verdant-web/protocol';
import type { PendingReply, ReplicaRow } from '../storage/rows.js';

/** Polls overlap by a few at most; an answer that is forgotten is only told again. */
const MAX_PENDING = 8;

/** The reset of which the replica has not proven that it applied it; null: none is pending. */
export const pendingReset = (row: ReplicaRow): PendingReply | null =>
  row.pending.find(({ reset }) => reset) ?? null;

/** Remember that the replica was answered. */
export function addPending(row: ReplicaRow, reply: PendingReply): ReplicaRow {
  const earlier = pendingReset(row);
  // Applying either of two resets makes the replica whole, so the older one stays what has to be proven.
  if (reply.reset && earlier && !earlier.late) return row;
  const kept = reply.reset ? row.pending.filter(({ reset }) => !reset) : row.pending;
  const dropped = kept.length < MAX_PENDING ? undefined : kept.find(({ reset }) => !reset);
  return { ...row, pending: [...kept.filter((other) => other !== dropped), reply] };
}

/** The row after a sync `since` then: a client records the time of a reply only after it has applied it. */
export function confirmSince(row: ReplicaRow, since: Timestamp): ReplicaRow {
  const applied = row.pending.filter(({ timestamp, late }) =>
    late ? since === timestamp : since >= timestamp,
  );
  return applied.reduce(confirmReply, row);
}

/** The row after this reply was proven to be applied: everything that told no more is proven with it. */
export function confirmReply(row: ReplicaRow, reply: PendingReply): ReplicaRow {
  return {
    ...row,
    ackedOrder: Math.max(row.ackedOrder, reply.order),
    pending: row.pending.filter(({ order, reset }) => order > reply.order || (reset && !reply.reset)),
  };
}
