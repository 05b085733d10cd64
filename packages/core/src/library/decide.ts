import {
  type ClientMessage,
  clampTimestamp,
  mayWrite,
  type OperationMessage,
  type Timestamp,
  VerdantError,
  VerdantErrorCode,
} from '@verdant-web/protocol';
import type { ReplicaRow } from '../storage/rows.js';
import { admit, contentRefusal } from './admission.js';
import type { Connection } from './connection.js';
import { type Decided, decideSync, soleAuthorAfter } from './decide-sync.js';
import type { Draft, Step } from './draft.js';
import type { Effect } from './effects.js';
import type { StagedContent } from './founding.js';
import { heardOf, latestOf, repairLate } from './late.js';
import { laterOf } from './later-of.js';
import {
  confirmReply,
  doubtSince,
  mayBeWiped,
  pendingReset,
  withoutRepeatedResets,
} from './pending-replies.js';

/** What decisions depend on besides the library and the message. */
export interface DecideContext {
  /** Wall-clock ms. */
  readonly now: number;
  /** Ms. */
  readonly maxClockDrift: number;
  /** How exactly it is known when a replica was seen last, in ms: little beside what makes it truant. */
  readonly seenEveryMs: number;
  /** The largest JSON text of one operation or snapshot that can be stored, in bytes of UTF-8. */
  readonly maxValueBytes: number;
  isTruant(row: ReplicaRow): boolean;
  /** Whether the replica was sent a reset over HTTP a moment ago. */
  isApplyingReset(row: ReplicaRow): boolean;
  /** Whether the replica is of a type that counts only while connected, and was away since its last sync. */
  wasAwayUncounted(row: ReplicaRow): boolean;
}

/**
 * Decide one message against the draft. Pure: no I/O, no clock, nothing shared is changed.
 * What it returns is applied to the draft by the caller, and its effects leave once the batch is durable.
 */
export function decide(
  draft: Draft,
  context: DecideContext,
  connection: Connection,
  message: ClientMessage,
  staged?: StagedContent,
): Decided {
  if (message.type === 'heartbeat') return heard({ kind: 'heartbeat' });
  if (message.type === 'sync-ack') return NOTHING;
  const row = draft.replica(message.replicaId);
  if (row && row.userId !== connection.caller.userId) return heard({ kind: 'forbidden' });
  switch (message.type) {
    case 'presence-update':
      return heard({ kind: 'presence', message });
    case 'disconnecting':
      return heard({ kind: 'leave', replicaId: message.replicaId });
    case 'sync':
      return decideSync(draft, context, connection, message, staged);
    case 'op':
      return decideOperations(draft, context, connection, message, row);
    case 'ack':
      return decideAck(draft, context, connection, message, row);
  }
}

function decideOperations(
  draft: Draft,
  context: DecideContext,
  connection: Connection,
  message: OperationMessage,
  row: ReplicaRow | null,
): Decided {
  if (!mayWrite(connection.caller.type)) {
    const step: Step = row === null ? {} : { forbidden: { replicaId: row.id, wrote: true } };
    return { step, effects: [{ kind: 'forbidden' }] };
  }
  if (row === null || needsSync(draft, context, connection, row))
    return heard({ kind: 'refuse', error: syncFirst() });
  const error = contentRefusal(message, { latestMs: context.now + context.maxClockDrift });
  if (error) return heard({ kind: 'refuse', error });

  const { head } = draft;
  const reset = pendingReset(row);
  // What was written before the reset was forfeited with everything else that the replica held.
  const operations = message.operations.filter(
    ({ timestamp }) => !(reset && timestamp <= reset.timestamp) && !draft.isOfBefore(row, timestamp),
  );
  if (operations.length === 0 && message.operations.length > 0) return NOTHING;
  const { maxValueBytes } = context;
  const admission = admit({ draft, caller: connection.caller, replica: row, operations, maxValueBytes });
  const stored = admission.operations.length > 0;
  const { operations: written, order: wrote } = admission;
  const repairs = repairLate({ draft, operations: written, order: wrote, maxValueBytes });
  const isInDoubt = mayBeWiped(row, admission);
  // Over HTTP an earlier operation may be under way still, or lost and offered again by the next sync: only that says
  // that nothing older will come.
  const last = connection.kind === 'socket' ? message.operations.at(-1)?.timestamp : undefined;
  // Field by field, here and for the head: spreads took two thirds of the time of deciding (docs/performance.md).
  const replica: ReplicaRow = {
    id: row.id,
    userId: row.userId,
    type: row.type,
    lastReset: row.lastReset,
    // Only over a socket is it told that this is stored.
    pending: connection.kind === 'socket' ? doubtSince(row.pending) : row.pending,
    lastSeen: seenAt(row, context),
    ackedTime: last === undefined ? row.ackedTime : laterOf(row.ackedTime, last),
    writtenThrough: admission.writtenThrough,
    // A replica holds what it wrote, unless a reset that is under way, or came before it was sent, wipes it.
    ackedOrder: row.ackedOrder >= head.order && !isInDoubt ? admission.order : row.ackedOrder,
  };
  const all = repairs.operations.length === 0 ? written : [...written, ...repairs.operations];
  const step: Step = {
    replica,
    soft: !stored && replica.pending === row.pending,
    operations: all,
    access: admission.access,
    usedFiles: admission.usedFiles,
  };
  const effects: Effect[] = [];
  if (stored) {
    step.head = {
      epoch: head.epoch,
      version: head.version,
      founded: true,
      order: repairs.order,
      foldedThrough: head.foldedThrough,
      announcedAck: head.announcedAck,
      latest: latestOf(head.latest, all),
      horizon: repairs.horizon,
      soleAuthor: soleAuthorAfter(head, row.id),
      operations: head.operations + all.length,
      baselines: head.baselines,
    };
    effects.push({
      kind: 'changes',
      replicaId: row.id,
      operations: written,
      baselines: [],
      through: wrote,
      replaced: false,
      mayBeWiped: isInDoubt,
    });
    effects.push(...heardOf(repairs, { inReply: false }));
  }
  // Over HTTP requests fail one by one: the ack of a later one would make the client skip an earlier one for ever.
  if (connection.kind === 'socket')
    effects.push({ kind: 'server-ack', timestamp: clamp(context, message.timestamp) });
  for (const refused of admission.refused)
    effects.push({ kind: 'access-refused', replicaId: row.id, ...refused });
  return { step, effects };
}

function decideAck(
  draft: Draft,
  context: DecideContext,
  connection: Connection,
  message: Extract<ClientMessage, { type: 'ack' }>,
  row: ReplicaRow | null,
): Decided {
  // A nonce proves that a reply arrived, not that it was applied.
  if (message.nonce !== undefined || message.timestamp === undefined) return NOTHING;
  if (row === null || needsSync(draft, context, connection, row)) return NOTHING;
  const { timestamp } = message;
  const proven = withProof(row, context, connection, timestamp);
  const replica: ReplicaRow = {
    id: row.id,
    userId: row.userId,
    type: row.type,
    lastReset: row.lastReset,
    pending: proven.pending,
    lastSeen: seenAt(row, context),
    ackedTime: laterOf(row.ackedTime, clamp(context, timestamp)),
    writtenThrough: row.writtenThrough,
    ackedOrder: proven.ackedOrder,
  };
  return { step: { replica, soft: true }, effects: [{ kind: 'proof', timestamp }] };
}

/** What is seen all the time is noted once in a while: neither the row nor the index by that is written with each change. */
const seenAt = ({ lastSeen }: ReplicaRow, { now, seenEveryMs }: DecideContext): number =>
  now - lastSeen < seenEveryMs ? lastSeen : now;

/** What the replica is known to hold after an ack on the socket that was sent what it acknowledges. */
function withProof(
  row: ReplicaRow,
  context: DecideContext,
  connection: Connection,
  timestamp: Timestamp,
): Pick<ReplicaRow, 'ackedOrder' | 'pending'> {
  const isItsOwn = connection.kind === 'socket' && connection.replicaId === row.id;
  const proof = isItsOwn ? connection.delivery.proofOf(timestamp) : null;
  if (!proof) return row;
  // A second reset that an earlier socket brought is applied by now, or was lost with it: what is acknowledged came later.
  const isOver =
    isItsOwn &&
    pendingReset(row) !== null &&
    !connection.delivery.awaitsReset &&
    !context.isApplyingReset(row);
  const known = isOver ? withoutRepeatedResets(row) : row;
  const confirmed = proof.reply ? confirmReply(known, proof.reply) : known;
  // A reset that is still to be applied may wipe what came after the reply.
  if (pendingReset(confirmed)) return confirmed;
  const { ackedOrder, pending } = confirmed;
  return { ackedOrder: Math.max(ackedOrder, proof.order), pending };
}

/**
 * Whether the replica has to sync before it may do anything else: whether it was away for too long is tested there.
 * A page that slept sends its next operation before its next poll.
 */
const needsSync = (draft: Draft, context: DecideContext, connection: Connection, row: ReplicaRow): boolean =>
  (context.isTruant(row) || context.wasAwayUncounted(row)) &&
  !draft.hasSynced(row.id) &&
  !(connection.kind === 'socket' && connection.synced && connection.replicaId === row.id);

const syncFirst = (): VerdantError =>
  new VerdantError(
    VerdantErrorCode.Busy,
    'This replica has to sync before it sends operations: the library does not know it, or has not seen it for too long.',
    { retryAfter: 1 },
  );

const clamp = (context: DecideContext, timestamp: Timestamp): Timestamp =>
  clampTimestamp(timestamp, context.now + context.maxClockDrift);

const heard = (...effects: Effect[]): Decided => ({ step: {}, effects });

const NOTHING: Decided = { step: {}, effects: [] };
