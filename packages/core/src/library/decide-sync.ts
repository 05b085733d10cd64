import {
  clampTimestamp,
  mayWrite,
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
import { addPending, confirmSince, lacksReset, pendingReset, predateReset } from './pending-replies.js';
import { type Contents, contentsOf, sameContent } from './same-content.js';

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

  const sync = new Sync(draft, context, connection, message, known);
  if (!draft.head.founded) return staged ? sync.adopt(staged) : sync.intoEmpty();
  if (sync.repeatsFounding) return sync.merge({ everything: true });
  if (sync.isApplyingReset) return { step: {}, effects: [{ kind: 'refuse', error: applyingReset() }] };
  const reason = sync.resetReason;
  if (reason !== null) return sync.reset(reason);
  return sync.merge({ everything: false });
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
  return new Sync(draft, context, connection, message, known).founder;
}

class Sync {
  readonly #draft: Draft;
  readonly #context: DecideContext;
  readonly #connection: Connection;
  readonly #message: SyncMessage;
  readonly #known: ReplicaRow | null;
  /** The replica as this sync finds it: what its `since` proves is applied, and forgotten where it asks for that. */
  readonly #row: ReplicaRow;
  readonly #isNew: boolean;
  readonly #readOnly: boolean;
  readonly #brings: boolean;
  readonly #timestamp: Timestamp;

  constructor(
    draft: Draft,
    context: DecideContext,
    connection: Connection,
    message: SyncMessage,
    known: ReplicaRow | null,
  ) {
    this.#draft = draft;
    this.#context = context;
    this.#connection = connection;
    this.#message = message;
    this.#known = known;
    this.#isNew = known === null || message.resyncAll;
    this.#readOnly = !mayWrite(connection.caller.type);
    this.#brings = message.operations.length > 0 || message.baselines.length > 0;
    this.#timestamp = clampTimestamp(message.timestamp, context.now + context.maxClockDrift);
    this.#row = this.#found();
  }

  #found(): ReplicaRow {
    const { caller } = this.#connection;
    const { since, replicaId } = this.#message;
    const known = this.#known;
    const row: ReplicaRow = {
      id: replicaId,
      userId: caller.userId,
      type: caller.type,
      ackedOrder: known?.ackedOrder ?? 0,
      ackedTime: laterOf(known?.ackedTime ?? null, this.#timestamp),
      lastSeen: this.#context.now,
      writtenThrough: known?.writtenThrough ?? null,
      lastReset: known?.lastReset ?? null,
      pending: known?.pending ?? [],
    };
    if (this.#message.resyncAll && !this.#isRepeated) return { ...row, ackedOrder: 0, pending: [] };
    return since === null ? row : confirmSince(row, since);
  }

  /** The same sync once more, as proxies and networks do: the first answer is what the client may have applied. */
  get #isRepeated(): boolean {
    const known = this.#known;
    return (
      this.#draft.wasAnswered(this.#message.replicaId, this.#timestamp) ||
      // By a server that has since restarted.
      known?.ackedTime === this.#timestamp ||
      (known?.pending.some(({ timestamp }) => timestamp === this.#timestamp) ?? false)
    );
  }

  /** Whether the replica has said something that is dated later. */
  get #isLate(): boolean {
    const acked = this.#known?.ackedTime ?? null;
    return acked !== null && this.#timestamp <= acked;
  }

  get #answered(): NonNullable<Step['answered']> {
    return { replicaId: this.#message.replicaId, timestamp: this.#timestamp };
  }

  #pendingReply(order: number, reset: PendingReply['reset']): PendingReply {
    return { timestamp: this.#timestamp, order, reset, late: this.#isLate };
  }

  /** The library holds nothing: whoever brings its whole history founds it. */
  intoEmpty(): Decided {
    const { since, operations, baselines } = this.#message;
    // Wiping a reader, or recording it as one that holds nothing, would make an eviction destroy its copy.
    if (this.#readOnly) return this.#answerEmpty();
    if (this.#isNew && since !== null) return { step: {}, effects: [{ kind: 'need-since' }] };
    // What comes once more, after an eviction, may be of a history that has since gone on.
    if (this.#isRepeated) return this.#brings ? REFUSED : this.#answerEmpty();

    const admission = admit({
      draft: this.#draft,
      caller: this.#connection.caller,
      replica: this.#row,
      operations,
      baselines,
      maxValueBytes: this.#context.maxValueBytes,
    });
    return this.#store(admission, { from: admission.order, removed: null });
  }

  /** See {@link founderOf}. */
  get founder(): ReplicaRow | null {
    if (this.#readOnly || this.#isRepeated || (this.#isNew && this.#message.since !== null)) return null;
    return this.#row;
  }

  /** As {@link intoEmpty}, with content that was admitted and staged before. */
  adopt(staged: StagedContent): Decided {
    const { stage, operations, baselines, order, writtenThrough, usedFiles, refused } = staged;
    const { head } = this.#draft;
    const row: ReplicaRow = { ...this.#row, writtenThrough, ackedOrder: order };
    const effects: Effect[] = [this.#reply('founded', row, order, order, null)];
    const step: Step = { replica: row, usedFiles, answered: this.#answered };
    if (operations + baselines > 0) {
      effects.unshift({ kind: 'founded', replicaId: row.id, staged });
      step.adopt = stage;
      step.head = {
        ...head,
        founded: true,
        order,
        foldedThrough: baselines > 0 ? head.order + 1 : head.foldedThrough,
        soleAuthor: soleAuthorAfter(head, row.id),
        operations,
        baselines,
      };
    }
    for (const { oid, authz } of refused)
      effects.push({ kind: 'access-refused', replicaId: row.id, oid, authz });
    return { step, effects };
  }

  #answerEmpty(): Decided {
    return { step: { answered: this.#answered }, effects: [this.#reply('empty', this.#row, 0, 0, null)] };
  }

  /**
   * Whether the replica sends its whole history into a library in which everything is its own: the reply to its
   * founding sync was lost, and a reset would forfeit what it wrote since.
   */
  get repeatsFounding(): boolean {
    const { soleAuthor } = this.#draft.head;
    return (
      this.#message.since === null &&
      this.#brings &&
      !this.#readOnly &&
      soleAuthor !== null &&
      soleAuthor === this.#known?.id
    );
  }

  /**
   * Whether the replica changes to a socket, told by presence, while it still applies the reset that the same answer
   * brought: it sends back what it was just given, as far as it has stored that. A second reset makes documents vanish
   * from what a 5.x client shows, or ends its syncing for good; when it connects again, it says since when.
   */
  get isApplyingReset(): boolean {
    return (
      this.#connection.kind === 'socket' &&
      this.#message.since === null &&
      this.#known !== null &&
      this.#context.isApplyingReset(this.#known)
    );
  }

  /** Why the replica has to take everything anew; null: it need not. */
  get resetReason(): ResetReason | null {
    const { head } = this.#draft;
    const row = this.#row;
    if (this.#isNew) return 'new';
    if (this.#message.since === null) return 'from-the-start';
    if (lacksReset(row)) return 'last-reset';
    if (row.ackedOrder < head.foldedThrough) return 'folded';
    if (this.#readOnly && this.#brings) return 'read-only';
    if (this.#context.isTruant(this.#known!) && row.ackedOrder < head.order) return 'truant';
    return this.#mayHaveBeenFoldedPast ? 'uncounted' : null;
  }

  /**
   * A replica that was not waited for, and brings changes, while others wrote below the announced global ack: clients
   * may have folded past what it brings.
   */
  get #mayHaveBeenFoldedPast(): boolean {
    const known = this.#known!;
    if (this.#message.operations.length === 0 || !this.#context.wasAwayUncounted(known)) return false;
    const { announcedAck } = this.#draft.head;
    const earliest =
      this.#row.ackedOrder < this.#draft.head.order ? this.#draft.earliestUnseen(known.id) : null;
    return announcedAck !== null && earliest !== null && earliest < announcedAck;
  }

  /** Whether the library holds what the message brings, and nothing else. */
  get #isSame(): boolean {
    const { contents } = this.#draft;
    return contents !== null && sameContent(contents, contentsOf(this.#message));
  }

  /** Whether everything that the message brings is stored: it may have been forfeited, or have gone out of date. */
  get #isStored(): boolean {
    const { operations, baselines } = this.#message;
    if (baselines.length > 0 && !this.#isSame) return false;
    return operations.every(({ oid, timestamp }) => this.#draft.isStored(this.#row, oid, timestamp));
  }

  /** Store nothing, and give the replica everything there is. */
  reset(reason: ResetReason): Decided {
    const { order } = this.#draft.head;
    const pending = this.#pendingReply(order, 'first');
    const lastReset = laterOf(this.#row.lastReset, this.#timestamp);
    const row = this.#isRepeated ? this.#row : { ...addPending(this.#row, pending), lastReset };
    // Recorded by a sync that was repeated, and was answered in the epoch before, it would no longer be new.
    const step: Step = this.#isRepeated && this.#isNew ? {} : { replica: row, answered: this.#answered };
    return { step, effects: [this.#reply(reason, row, 0, order, pending)] };
  }

  /** Store what it brings, and answer with what it has not acknowledged. */
  merge({ everything }: { everything: boolean }): Decided {
    const { head, contents } = this.#draft;
    const { baselines } = this.#message;
    const isKnown = this.#isRepeated ? this.#isStored : everything && this.#isSame;
    // A whole history that was long under way may be older than what the replica has sent since.
    if ((this.#isRepeated || (everything && this.#isLate)) && !isKnown) return REFUSED;
    const operations = isKnown ? [] : this.#message.operations;
    // What was folded cannot be told from what comes again: the history that is sent takes the place of all of it.
    const replaces =
      everything && !isKnown && contents !== null && (baselines.length > 0 || head.foldedThrough > 0);
    const admission = admit({
      draft: this.#draft,
      caller: this.#connection.caller,
      replica: this.#row,
      operations,
      baselines: replaces ? baselines : [],
      replaces,
      maxValueBytes: this.#context.maxValueBytes,
    });
    const from = everything ? admission.order : this.#row.ackedOrder;
    return this.#store(admission, { from, removed: replaces ? contents : null });
  }

  #store(admission: Admission, { from, removed }: { from: number; removed: Contents | null }): Decided {
    const { head } = this.#draft;
    const { operations, baselines, order } = admission;
    const stored = operations.length > 0 || baselines.length > 0;
    // Nothing of others lies between: what it just wrote is all that is new, and it holds that, if no reset took it.
    const upToDate = from >= head.order;
    const mayBeWiped = predateReset(this.#row, admission);
    const through = mayBeWiped ? head.order : order;
    const pending = upToDate ? null : this.#pendingReply(through, false);
    const answered = pending === null || this.#isRepeated ? this.#row : addPending(this.#row, pending);
    const row: ReplicaRow = {
      ...answered,
      writtenThrough: admission.writtenThrough,
      ackedOrder: upToDate ? through : this.#row.ackedOrder,
    };
    const outcome = head.founded ? 'merged' : 'founded';
    const effects: Effect[] = [this.#reply(outcome, row, upToDate ? order : from, order, pending)];
    if (stored) {
      effects.unshift({
        kind: 'changes',
        replicaId: row.id,
        operations,
        baselines,
        through: order,
        replaced: removed !== null,
        mayBeWiped,
      });
    }
    for (const refused of admission.refused)
      effects.push({ kind: 'access-refused', replicaId: row.id, ...refused });
    const { since } = this.#message;
    const step: Step = {
      replica: row,
      soft: !stored && !hardChange(this.#known, row),
      operations,
      baselines,
      access: admission.access,
      usedFiles: admission.usedFiles,
      answered: this.#answered,
      ...(since === null ? {} : { confirmedSince: since }),
    };
    if (stored) {
      step.head = {
        ...head,
        founded: true,
        order,
        foldedThrough: baselines.length > 0 ? head.order + 1 : head.foldedThrough,
        soleAuthor: soleAuthorAfter(head, row.id),
        operations: head.operations + operations.length - (removed?.operations.length ?? 0),
        baselines: head.baselines + baselines.length - (removed?.baselines.length ?? 0),
      };
    }
    if (removed) {
      const kept = new Set(baselines.map(({ oid }) => oid));
      step.removeBaselines = removed.baselines.map(({ oid }) => oid).filter((oid) => !kept.has(oid));
      step.fold = removed.operations.map(({ order: folded }) => folded);
    }
    return { step, effects };
  }

  #reply(
    outcome: SyncOutcome,
    row: ReplicaRow,
    from: number,
    through: number,
    pending: PendingReply | null,
  ): Effect {
    const { operations } = this.#message;
    const overwriteLocalData = outcome !== 'empty' && outcome !== 'founded' && outcome !== 'merged';
    const except =
      overwriteLocalData || from >= through
        ? NONE
        : new Set(operations.map((o) => keyOf({ ...o, replicaId: row.id })));
    const reply: SyncReply = {
      outcome,
      ackedTimestamp: this.#timestamp,
      overwriteLocalData,
      from,
      through,
      except,
      pending,
    };
    return { kind: 'reply', reply, replicaId: row.id };
  }
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

/** The later of two times, where there are two. */
export const laterOf = (a: Timestamp | null, b: Timestamp): Timestamp => (a !== null && a > b ? a : b);

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
