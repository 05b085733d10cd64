import type { Timestamp } from '@verdant-web/protocol';
import type { PendingReply, ReplicaRow } from '../storage/rows.js';
import type { Admission } from './admission.js';

/**
 * Polls overlap by a few at most; an answer that is forgotten is only told again. Beyond, the latest but the new one goes: a
 * client that is slow to apply proves the oldest first.
 */
const MAX_PENDING = 8;

/** The last reset that the replica may yet apply; null: none is pending. */
export const pendingReset = (row: ReplicaRow): PendingReply | null =>
  row.pending.findLast(({ reset }) => reset) ?? null;

/** Whether the replica has not proven that it applied any of the resets that it was sent: it has to be reset again. */
export const lacksReset = (row: ReplicaRow): boolean => row.pending.some(({ reset }) => reset === 'first');

/** Whether the replica has to be reset because it was not known what it holds. */
export const isOwedReset = (row: ReplicaRow): boolean => row.pending.some(({ reset }) => reset === 'owed');

/** Whether a reset may have wiped some of these on their author's device, or may yet wipe them. */
export const mayBeWiped = (
  row: ReplicaRow,
  { operations, baselines }: Pick<Admission, 'operations' | 'baselines'>,
): boolean =>
  pendingReset(row) === null ? predateReset(row, operations) : operations.length > 0 || baselines.length > 0;

const predateReset = ({ lastReset }: ReplicaRow, operations: Admission['operations']): boolean =>
  lastReset !== null && operations.some(({ row }) => row.timestamp <= lastReset);

/** Remember that the replica was answered. */
export function addPending(row: ReplicaRow, reply: PendingReply): ReplicaRow {
  // Applying either of two resets makes the replica whole, so the older one stays what has to be proven; the other one
  // may still wipe what was written between the two.
  const isAgain = reply.reset && row.pending.some(({ reset, late }) => reset === 'first' && !late);
  const kept = reply.reset && !isAgain ? row.pending.filter(({ reset }) => !reset) : row.pending;
  const dropped = kept.length < MAX_PENDING ? undefined : kept.findLast(({ reset }) => reset !== 'first');
  return {
    ...row,
    pending: [...kept.filter((other) => other !== dropped), isAgain ? { ...reply, reset: 'again' } : reply],
  };
}

/**
 * The replies, now that the client is told that what it wrote is stored: it takes that for the time of its last sync, whether
 * or not it has applied what it was sent before, so that a later `since` proves nothing. An ack still does. A reset stays
 * as it is: one that lists no operation is never acknowledged, and must not be repeated for ever.
 */
export function doubtSince(pending: readonly PendingReply[]): readonly PendingReply[] {
  if (!pending.some(({ reset, late }) => !reset && !late)) return pending;
  return pending.map((reply) => (reply.reset ? reply : { ...reply, late: true }));
}

/** The row when resets that were sent once more, where an earlier one was not proven, are over. */
export const withoutRepeatedResets = (row: ReplicaRow): ReplicaRow => ({
  ...row,
  pending: row.pending.filter(({ reset }) => reset !== 'again'),
});

/** The row after a sync `since` then: a client records the time of a reply only after it has applied it. */
export function confirmSince(row: ReplicaRow, since: Timestamp): ReplicaRow {
  const applied = row.pending.filter(({ timestamp, late }) =>
    late ? since === timestamp : since >= timestamp,
  );
  return applied.reduce(confirmReply, row);
}

/**
 * The row after this reply was proven to be applied: with it those before it, and what told no more. A reset that may still
 * be applied wipes what came after it.
 */
export function confirmReply(row: ReplicaRow, reply: PendingReply): ReplicaRow {
  const index = row.pending.findIndex(
    (other) => other.timestamp === reply.timestamp && other.order === reply.order,
  );
  const pending = row.pending.filter(({ order, reset }, at) =>
    reset ? !reply.reset || at > index : at > index && order > reply.order,
  );
  const held = Math.min(reply.order, ...pending.filter(({ reset }) => reset).map(({ order }) => order));
  return { ...row, ackedOrder: Math.max(row.ackedOrder, held), pending };
}
