import {
  type ReplicaId,
  type SyncMessage,
  type Timestamp,
  VerdantError,
  VerdantErrorCode,
} from '@verdant-web/protocol';
import type { PendingReply, ReplicaRow } from '../storage/rows.js';
import { type Admission, admit, contentRefusal } from './admission.js';
import type { Connection } from './connection.js';
import type { DecideContext } from './decide.js';
import type { Draft, Step } from './draft.js';
import type { Effect, ResetReason, SyncOutcome, SyncReply } from './effects.js';
import { keyOf } from './facts.js';
import type { StagedContent } from './founding.js';
import { IncomingSync } from './incoming-sync.js';
import { foldedByDevices, heardOf, latestOf, repairLate } from './late.js';
import { laterOf } from './later-of.js';
import { addPending, isOwedReset, mayBeWiped, pendingReset } from './pending-replies.js';
import type { Contents } from './same-content.js';

/** A sync, decided: what it changes, and what is heard of it. */
export interface Decided {
  step: Step;
  effects: Effect[];
}

/** Decide a `sync`: found the library, reset the replica, or store what it brings and tell it what it has missed. */
export function decideSync(
  draft: Draft,
  context: DecideContext,
  connection: Connection,
  message: SyncMessage,
  staged?: StagedContent,
): Decided {
  const known = draft.replica(message.replicaId);
  const error = contentRefusal(message, { latestMs: context.now + context.maxClockDrift });
  if (error) return { step: {}, effects: [{ kind: 'refuse', error }] };

  const sync = new IncomingSync(draft, context, connection, message, known);
  if (!draft.head.founded) return staged ? adopt(sync, staged) : intoEmpty(sync);
  if (sync.repeatsFounding) return merge(sync, { everything: true });
  if (sync.isApplyingReset) return { step: {}, effects: [{ kind: 'refuse', error: applyingReset() }] };
  const reason = sync.resetReason;
  if (reason !== null) return reset(sync, reason);
  if (isOwedReset(sync.row) || sync.lacksFounding) return renew(sync);
  return merge(sync, { everything: false });
}

/** The row of the replica whose sync would found the library, if it brings something; null: it would not. */
export function founderOf(
  draft: Draft,
  context: DecideContext,
  connection: Connection,
  message: SyncMessage,
): ReplicaRow | null {
  const known = draft.replica(message.replicaId);
  if (draft.head.founded || (known !== null && known.userId !== connection.caller.userId)) return null;
  return new IncomingSync(draft, context, connection, message, known).founder;
}

/** The library holds nothing: whoever brings its whole history founds it. */
function intoEmpty(sync: IncomingSync): Decided {
  const { since, operations, baselines } = sync.message;
  // Wiping a reader, or recording it as one that holds nothing, would make an eviction destroy its copy.
  if (sync.readOnly) return answerEmpty(sync);
  if (sync.isNew && since !== null)
    return { step: { answered: sync.answered }, effects: [{ kind: 'need-since' }] };
  // What comes once more, after an eviction, may be of a history that has since gone on.
  if (sync.isRepeated) return sync.brings ? REFUSED : answerEmpty(sync);

  const admission = admit({
    draft: sync.draft,
    caller: sync.connection.caller,
    replica: sync.row,
    operations,
    baselines,
    maxValueBytes: sync.context.maxValueBytes,
  });
  return storeAndAnswer(sync, admission, { from: admission.order, removed: null });
}

/** As {@link intoEmpty}, with content that was admitted and staged before. */
function adopt(sync: IncomingSync, staged: StagedContent): Decided {
  const { stage, operations, baselines, order, latest, writtenThrough, usedFiles, refused } = staged;
  const { head } = sync.draft;
  const row: ReplicaRow = { ...sync.row, writtenThrough, ackedOrder: order };
  const effects: Effect[] = [replyTo(sync, 'founded', row, order, order, null)];
  const step: Step = { replica: row, usedFiles, answered: sync.answered };
  if (operations + baselines > 0) {
    effects.unshift({ kind: 'founded', replicaId: row.id, staged });
    step.adopt = stage;
    step.head = foldedByDevices({
      ...head,
      founded: true,
      order,
      foldedThrough: baselines > 0 ? head.order + 1 : head.foldedThrough,
      latest,
      soleAuthor: soleAuthorAfter(head, row.id),
      operations,
      baselines,
    });
  }
  for (const { oid, authz } of refused)
    effects.push({ kind: 'access-refused', replicaId: row.id, oid, authz });
  return { step, effects };
}

function answerEmpty(sync: IncomingSync): Decided {
  return { step: { answered: sync.answered }, effects: [replyTo(sync, 'empty', sync.row, 0, 0, null)] };
}

/** Store nothing, and give the replica everything there is. */
function reset(sync: IncomingSync, reason: ResetReason): Decided {
  const { order } = sync.draft.head;
  const pending = sync.pendingReply(order, 'first');
  const lastReset = laterOf(sync.row.lastReset, sync.timestamp);
  const row = sync.isRepeated ? sync.row : { ...addPending(sync.row, pending), lastReset };
  // Recorded by a sync that was repeated, and was answered in the epoch before, it would no longer be new.
  const step: Step = sync.isRepeated && sync.isNew ? {} : { replica: row, answered: sync.answered };
  const told: Step = {
    ...step,
    head: foldedByDevices(sync.draft.head),
    forbidden: { replicaId: row.id, wrote: false },
  };
  return { step: told, effects: [replyTo(sync, reason, row, 0, order, pending)] };
}

/** Store what it brings, and give the replica everything there is, that included. */
function renew(sync: IncomingSync): Decided {
  if (sync.isRepeated) return sync.isStored ? reset(sync, 'unsure') : REFUSED;
  const admission = admit({
    draft: sync.draft,
    caller: sync.connection.caller,
    replica: sync.row,
    operations: sync.message.operations,
    baselines: [],
    maxValueBytes: sync.context.maxValueBytes,
  });
  return storeAndAnswer(sync, admission, { from: 0, removed: null, renews: true });
}

/** Store what it brings, and answer with what it has not acknowledged. */
function merge(sync: IncomingSync, { everything }: { everything: boolean }): Decided {
  const { head, contents } = sync.draft;
  const { baselines } = sync.message;
  const isKnown = sync.isRepeated ? sync.isStored : everything && sync.isSame;
  // A whole history that was long under way may be older than what the replica has sent since.
  if ((sync.isRepeated || (everything && sync.isLate)) && !isKnown) return REFUSED;
  const operations = isKnown ? [] : sync.message.operations;
  // What was folded cannot be told from what comes again: the history that is sent takes the place of all of it, …
  const replaces =
    everything && !isKnown && contents !== null && (baselines.length > 0 || head.foldedThrough > 0);
  // … but for what was written while the device read it.
  const latest = replaces ? latestIn(sync.message) : null;
  const isReplaced = ({ timestamp }: { timestamp: Timestamp }) => latest === null || timestamp <= latest;
  const replaced = replaces && {
    operations: contents.operations.filter(isReplaced),
    baselines: contents.baselines.filter(isReplaced),
  };
  const kept = new Set(
    replaces ? contents.baselines.filter((row) => !isReplaced(row)).map(({ oid }) => oid) : [],
  );
  const admission = admit({
    draft: sync.draft,
    caller: sync.connection.caller,
    replica: sync.row,
    operations,
    baselines: replaces ? baselines.filter(({ oid }) => !kept.has(oid)) : [],
    replaces,
    maxValueBytes: sync.context.maxValueBytes,
  });
  const from = everything ? admission.order : sync.row.ackedOrder;
  return storeAndAnswer(sync, admission, { from, removed: replaced || null });
}

const latestIn = ({ operations, baselines }: SyncMessage): Timestamp | null =>
  [...operations, ...baselines].reduce<Timestamp | null>(
    (latest, { timestamp }) => laterOf(latest, timestamp),
    null,
  );

function storeAndAnswer(
  sync: IncomingSync,
  admission: Admission,
  { from, removed, renews = false }: { from: number; removed: Contents | null; renews?: boolean },
): Decided {
  const { draft } = sync;
  const { head } = draft;
  const { operations, baselines, order } = admission;
  const stored = operations.length > 0 || baselines.length > 0;
  // Where everything is replaced, nothing can come late.
  const late = removed === null ? operations : [];
  const { maxValueBytes } = sync.context;
  const repairs = repairLate({ draft, operations: late, order, maxValueBytes });
  // Nothing of others lies between: what it just wrote is all that is new, and it holds that, if no reset took it.
  const upToDate = !renews && from >= head.order;
  const isInDoubt = !renews && mayBeWiped(sync.row, admission);
  const through = isInDoubt ? head.order : order;
  const told = repairs.order > order && !isInDoubt ? repairs.order : through;
  const pending =
    upToDate && repairs.operations.length === 0 ? null : sync.pendingReply(told, renews && 'owed');
  const answered = pending === null || sync.isRepeated ? sync.row : addPending(sync.row, pending);
  const row: ReplicaRow = {
    ...answered,
    writtenThrough: admission.writtenThrough,
    ackedOrder: upToDate ? through : sync.row.ackedOrder,
    lastReset: renews || sync.provesReset ? laterOf(sync.row.lastReset, sync.timestamp) : sync.row.lastReset,
  };
  // Once more, after a crash that took the answer from memory, it would be told more under the same timestamp.
  const mayComeAgain = sync.connection.kind === 'request';
  const outcome = renews ? 'unsure' : head.founded ? 'merged' : 'founded';
  const effects: Effect[] = [];
  if (stored) {
    effects.push({
      kind: 'changes',
      replicaId: row.id,
      operations,
      baselines,
      through: order,
      replaced: removed !== null,
      mayBeWiped: isInDoubt,
    });
  }
  effects.push(...heardOf(repairs, { inReply: true }));
  effects.push(replyTo(sync, outcome, row, upToDate ? order : from, repairs.order, pending));
  for (const refused of admission.refused)
    effects.push({ kind: 'access-refused', replicaId: row.id, ...refused });
  const { since } = sync.message;
  const all = [...operations, ...repairs.operations];
  const step: Step = {
    replica: row,
    soft: !stored && !hardChange(sync.known, row) && !(mayComeAgain && answered !== sync.row),
    operations: all,
    baselines,
    access: admission.access,
    usedFiles: admission.usedFiles,
    answered: sync.answered,
    ...(since === null ? {} : { confirmedSince: since }),
  };
  if (stored) {
    step.head = {
      ...head,
      founded: true,
      order: repairs.order,
      foldedThrough: baselines.length > 0 ? head.order + 1 : head.foldedThrough,
      latest: latestOf(head.latest, all, baselines),
      horizon: repairs.horizon,
      soleAuthor: soleAuthorAfter(head, row.id),
      operations: head.operations + all.length - (removed?.operations.length ?? 0),
      baselines: head.baselines + baselines.length - (removed?.baselines.length ?? 0),
    };
  }
  // Everything is folded at once by whoever is sent, or has just sent, everything.
  if (renews || !head.founded || removed) step.head = foldedByDevices(step.head ?? head);
  if (removed) {
    const kept = new Set(baselines.map(({ oid }) => oid));
    step.removeBaselines = removed.baselines.map(({ oid }) => oid).filter((oid) => !kept.has(oid));
    step.fold = removed.operations.map(({ order: folded }) => folded);
  }
  return { step, effects };
}

function replyTo(
  sync: IncomingSync,
  outcome: SyncOutcome,
  row: ReplicaRow,
  from: number,
  through: number,
  pending: PendingReply | null,
): Effect {
  const { operations } = sync.message;
  const overwriteLocalData = outcome !== 'empty' && outcome !== 'founded' && outcome !== 'merged';
  const except =
    overwriteLocalData || from >= through
      ? NONE
      : new Set(operations.map((o) => keyOf({ ...o, replicaId: row.id })));
  const reply: SyncReply = {
    outcome,
    ackedTimestamp: sync.timestamp,
    overwriteLocalData,
    from,
    through,
    except,
    pending,
  };
  return { kind: 'reply', reply, replicaId: row.id };
}

const NONE: ReadonlySet<string> = new Set();

/** An answer would say that everything is stored; refused, the client syncs anew. */
const REFUSED: Decided = {
  step: {},
  effects: [
    {
      kind: 'refuse',
      error: new VerdantError(
        VerdantErrorCode.Busy,
        'This sync is out of date: the library has moved on since it was sent. Sync anew.',
        { retryAfter: 1 },
      ),
    },
  ],
};

const applyingReset = (): VerdantError =>
  new VerdantError(
    VerdantErrorCode.Busy,
    'This replica was just sent the library over HTTP. Connect again when it has applied that.',
    { retryAfter: 1 },
  );

/** The one that wrote everything, after `author` has written too. */
export const soleAuthorAfter = (
  head: { founded: boolean; soleAuthor: ReplicaId | null },
  author: ReplicaId,
): ReplicaId | null => (!head.founded || head.soleAuthor === author ? author : null);

/** Whether more than acks and times changed: that must be durable before the reply leaves. */
function hardChange(before: ReplicaRow | null, after: ReplicaRow): boolean {
  return (
    before === null ||
    before.type !== after.type ||
    pendingReset(before) !== null ||
    pendingReset(after) !== null ||
    before.writtenThrough !== after.writtenThrough
  );
}
