import {
  clampTimestamp,
  countsWhileAway,
  mayWrite,
  type SyncMessage,
  type Timestamp,
} from '@verdant-web/protocol';
import type { PendingReply, ReplicaRow } from '../storage/rows.js';
import type { Connection } from './connection.js';
import type { DecideContext } from './decide.js';
import type { Draft, Step } from './draft.js';
import type { ResetReason } from './effects.js';
import { laterOf } from './later-of.js';
import { confirmSince, lacksReset, pendingReset } from './pending-replies.js';
import { contentsOf, sameContent } from './same-content.js';

/** A `sync`, and what it finds: how it stands to the library, and to what its replica has said before. */
export class IncomingSync {
  readonly draft: Draft;
  readonly context: DecideContext;
  readonly connection: Connection;
  readonly message: SyncMessage;
  readonly known: ReplicaRow | null;
  /** The replica as this sync finds it: what its `since` proves is applied, and forgotten where it asks for that. */
  readonly row: ReplicaRow;
  readonly isNew: boolean;
  readonly readOnly: boolean;
  readonly brings: boolean;
  readonly timestamp: Timestamp;

  constructor(
    draft: Draft,
    context: DecideContext,
    connection: Connection,
    message: SyncMessage,
    known: ReplicaRow | null,
  ) {
    this.draft = draft;
    this.context = context;
    this.connection = connection;
    this.message = message;
    this.known = known;
    this.isNew = known === null || message.resyncAll;
    this.readOnly = !mayWrite(connection.caller.type);
    this.brings = message.operations.length > 0 || message.baselines.length > 0;
    this.timestamp = clampTimestamp(message.timestamp, context.now + context.maxClockDrift);
    this.row = this.#found();
  }

  #found(): ReplicaRow {
    const { caller } = this.connection;
    const { since, replicaId } = this.message;
    const known = this.known;
    const row: ReplicaRow = {
      id: replicaId,
      userId: caller.userId,
      type: caller.type,
      ackedOrder: known?.ackedOrder ?? 0,
      ackedTime: laterOf(known?.ackedTime ?? null, this.timestamp),
      lastSeen: this.context.now,
      writtenThrough: known?.writtenThrough ?? null,
      lastReset: known?.lastReset ?? null,
      pending: known?.pending ?? [],
    };
    if (this.message.resyncAll && !this.isRepeated) return { ...row, ackedOrder: 0, pending: [] };
    return since === null ? row : confirmSince(row, since);
  }

  /**
   * Whether its `since` says that the resets of the replica are applied. What was written before, and is not in it, they may
   * have wiped: a queue of another transport may still bring that.
   */
  get provesReset(): boolean {
    return this.known !== null && pendingReset(this.known) !== null && pendingReset(this.row) === null;
  }

  /** The same sync once more, as proxies and networks do: the first answer is what the client may have applied. */
  get isRepeated(): boolean {
    const known = this.known;
    return (
      this.draft.wasAnswered(this.message.replicaId, this.timestamp) ||
      // By a server that has since restarted.
      known?.ackedTime === this.timestamp ||
      (known?.pending.some(({ timestamp }) => timestamp === this.timestamp) ?? false)
    );
  }

  /** Whether the replica has said something that is dated later. */
  get isLate(): boolean {
    const acked = this.known?.ackedTime ?? null;
    return acked !== null && this.timestamp <= acked;
  }

  /**
   * Whether the replica may have applied answers that are dated later than this sync: its clock was set back, or the sync was
   * under way for so long that the replica, or the library, was evicted meanwhile, and what it was told before is forgotten. A
   * socket does not outlive that.
   */
  get #mayBeOutrun(): boolean {
    const { since } = this.message;
    if (since !== null && since >= this.timestamp) return true;
    return this.isNew && this.connection.kind === 'request' && (since !== null || this.draft.head.epoch > 0);
  }

  /** See {@link Step.answered}. */
  get answered(): NonNullable<Step['answered']> {
    return { replicaId: this.message.replicaId, timestamp: this.timestamp };
  }

  /** The answer that goes up to this server order, until it is proven to be applied. */
  pendingReply(order: number, reset: PendingReply['reset']): PendingReply {
    return { timestamp: this.timestamp, order, reset, late: this.isLate || this.#mayBeOutrun };
  }

  /** See {@link founderOf}. */
  get founder(): ReplicaRow | null {
    if (this.readOnly || this.isRepeated || (this.isNew && this.message.since !== null)) return null;
    return this.row;
  }

  /**
   * Whether the replica sends its whole history into a library in which everything is its own: the reply to its
   * founding sync was lost, and a reset would forfeit what it wrote since.
   */
  get repeatsFounding(): boolean {
    const { soleAuthor } = this.draft.head;
    return (
      this.message.since === null &&
      this.brings &&
      !this.readOnly &&
      soleAuthor !== null &&
      soleAuthor === this.known?.id
    );
  }

  /**
   * Whether the replica changes to a socket, told by presence, while it still applies the reset that the same answer
   * brought: it sends back what it was just given, as far as it has stored that. A second reset makes documents vanish
   * from what a 5.x client shows, or ends its syncing for good; when it connects again, it says since when.
   */
  get isApplyingReset(): boolean {
    return (
      this.connection.kind === 'socket' &&
      this.message.since === null &&
      this.known !== null &&
      this.context.isApplyingReset(this.known)
    );
  }

  /** Why the replica has to take everything anew; null: it need not. */
  get resetReason(): ResetReason | null {
    const { head } = this.draft;
    const row = this.row;
    if (this.isNew) return 'new';
    if (this.message.since === null) return 'from-the-start';
    if (lacksReset(row)) return 'last-reset';
    if (row.ackedOrder < head.foldedThrough && !this.lacksFounding) return 'folded';
    if (this.readOnly && (this.brings || this.draft.wroteForbidden(row.id))) return 'read-only';
    if (this.context.isTruant(this.known!) && row.ackedOrder < head.order) return 'truant';
    return this.#mayHaveBeenFoldedPast ? 'uncounted' : null;
  }

  /**
   * Whether the replica lacks what others founded the library with after it was recorded, or has not shown that it got
   * that. What all wait for is folded only where all hold it, so that nothing of others can have gone past its changes.
   */
  get lacksFounding(): boolean {
    const known = this.known;
    return (
      known !== null &&
      this.row.ackedOrder < this.draft.head.foldedThrough &&
      countsWhileAway(known.type) &&
      !this.readOnly &&
      !this.context.isTruant(known)
    );
  }

  /**
   * A replica that was not waited for, and brings changes, while others wrote below the announced global ack: clients
   * may have folded past what it brings.
   */
  get #mayHaveBeenFoldedPast(): boolean {
    const known = this.known!;
    if (this.message.operations.length === 0 || !this.context.wasAwayUncounted(known)) return false;
    const { announcedAck } = this.draft.head;
    const earliest = this.row.ackedOrder < this.draft.head.order ? this.draft.earliestUnseen(known.id) : null;
    return announcedAck !== null && earliest !== null && earliest < announcedAck;
  }

  /** Whether the library holds what the message brings, and nothing else. */
  get isSame(): boolean {
    const { contents } = this.draft;
    return contents !== null && sameContent(contents, contentsOf(this.message));
  }

  /** Whether everything that the message brings is stored: it may have been forfeited, or have gone out of date. */
  get isStored(): boolean {
    const { operations, baselines } = this.message;
    if (baselines.length > 0 && !this.isSame) return false;
    return operations.every(
      ({ oid, timestamp }) =>
        this.draft.isStored(this.row, oid, timestamp) || this.draft.isRepair(oid, timestamp),
    );
  }
}
