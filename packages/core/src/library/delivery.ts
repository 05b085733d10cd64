import type { ServerOrder, Timestamp } from '@verdant-web/protocol';
import type { OperationRow, PendingReply } from '../storage/rows.js';

/** A sync reply that was sent on a connection, and what it listed. */
export interface SentReply {
  readonly pending: PendingReply;
  /** What the replica held before it. */
  readonly from: ServerOrder;
  /** The operations in it, by timestamp; of a long reply the last ones. */
  readonly listed: Map<Timestamp, ServerOrder>;
  /** The last operation that it listed, once it was sent whole. Null: it listed none, or is still being sent. */
  last: Timestamp | null;
}

/** What an acknowledgement proves. */
export interface Proof {
  /** The replica holds everything up to here. */
  order: ServerOrder;
  /** The latest sync reply that it has applied, where that is news. */
  reply: PendingReply | null;
}

/** An operation of somebody else that is being sent, the same for everybody whom it is sent to. */
export interface SentOperation {
  /** What whoever has acknowledged everything before it holds. */
  readonly floor: ServerOrder;
  readonly timestamp: Timestamp;
  readonly reply: null;
}

export const sentOperation = (order: ServerOrder, timestamp: Timestamp): SentOperation => ({
  floor: order - 1,
  timestamp,
  reply: null,
});

/** A {@link Delivery} as JSON. */
export interface RestingDelivery {
  through: ServerOrder;
  open: RestingSent[];
  /** Server orders of what the replica wrote itself and has to be sent back. */
  owed: ServerOrder[];
  owesMore: boolean;
  sentBack: Timestamp | null;
}

/** Something that was sent and not acknowledged. */
export type RestingSent =
  | { kind: 'operations'; floor: ServerOrder; last: Timestamp }
  | { kind: 'baselines'; floor: ServerOrder; leftAt: number }
  | { kind: 'reply'; pending: PendingReply; from: ServerOrder; last: [Timestamp, ServerOrder] | null };

const sentAgain = (sent: RestingSent): Sent => {
  switch (sent.kind) {
    case 'operations':
      return { floor: sent.floor, timestamp: sent.last, reply: null };
    case 'baselines':
      return { floor: sent.floor, timestamp: null, reply: null, leftAt: sent.leftAt };
    case 'reply': {
      const { pending, from, last } = sent;
      const reply = { pending, from, listed: new Map(last === null ? [] : [last]), last: last?.[0] ?? null };
      return { floor: from, reply };
    }
  }
};

type Sent =
  | SentOperation
  | { floor: ServerOrder; timestamp: null; reply: null; leftAt: number }
  | { floor: ServerOrder; reply: SentReply };

/** Longer than a message is under way on a socket that still brings any. */
const IN_FLIGHT_MS = 60_000;
/** More than a client that acks at all leaves open; one that never does costs no more memory than this. */
const MAX_OPEN = 10_000;
/** A client applies a reset in moments, but says so only where the reset, or what follows it, lists an operation. */
const MAX_OWED = 1_000;

/**
 * What one connection was sent and has not acknowledged, in order.
 *
 * An entry is an operation of somebody else, or a sync reply. What lies between them, the replica's own operations and
 * those that it may not see, needs no acknowledgement: it is held as soon as everything before it is.
 */
export class Delivery {
  /** Everything up to this server order was sent, or need not be. */
  through: ServerOrder = 0;
  readonly #open: Sent[] = [];
  /** What the replica wrote itself while a reset was pending, which may have wiped it on the device. */
  #owed: OperationRow[] = [];
  /** More is owed than is remembered here: then it is the next sync that sends it back. */
  #owesMore = false;
  /** The last one owed, once they were sent back. */
  #sentBack: Timestamp | null = null;

  /** What has to outlive the process, where its sockets do. Null: something is being sent. */
  rest(): RestingDelivery | null {
    const open: RestingSent[] = [];
    for (const sent of this.#open) {
      const before = open.at(-1);
      if (sent.reply !== null) {
        const { pending, from, listed, last } = sent.reply;
        const order = last === null ? undefined : listed.get(last);
        open.push({ kind: 'reply', pending, from, last: order === undefined ? null : [last!, order] });
      } else if (sent.timestamp === null) {
        if (sent.leftAt === Number.POSITIVE_INFINITY) return null;
        open.push({ kind: 'baselines', floor: sent.floor, leftAt: sent.leftAt });
      } else if (before?.kind === 'operations') {
        // A client acknowledges them in order: the last one stands for all.
        before.last = sent.timestamp;
      } else open.push({ kind: 'operations', floor: sent.floor, last: sent.timestamp });
    }
    const orders = this.#owed.map(({ order }) => order);
    return { through: this.through, open, owed: orders, owesMore: this.#owesMore, sentBack: this.#sentBack };
  }

  /** Goes on from what another one left. `owed`: those operations, of which some may be folded by now. */
  resume(resting: RestingDelivery, owed: readonly OperationRow[]): void {
    this.through = resting.through;
    for (const sent of resting.open) this.#open.push(sentAgain(sent));
    this.#owed = [...owed];
    this.#owesMore = resting.owesMore || owed.length < resting.owed.length;
    this.#sentBack = resting.sentBack;
  }

  /** The replica's own operation is stored, but a reset that is pending may wipe it: it has to be sent back. */
  owe(operation: OperationRow): void {
    this.#sentBack = null;
    this.#owesMore ||= this.#owed.length >= MAX_OWED;
    if (!this.#owesMore) this.#owed.push(operation);
  }

  /** The resets were applied: what has to be sent back now. */
  sendBack(): readonly OperationRow[] {
    const last = this.#owed.at(-1)?.timestamp;
    if (last === undefined || this.#owesMore || this.#sentBack === last) return [];
    this.#sentBack = last;
    return this.#owed;
  }

  /** An operation of somebody else is being sent. */
  sent(operation: SentOperation): void {
    // The first entry stays: it says what the replica is known to hold.
    if (this.#open.length >= MAX_OPEN) this.#open.splice(1, MAX_OPEN / 2);
    this.#open.push(operation);
  }

  /**
   * Baselines that founded the library are being sent. Clients do not acknowledge them; whoever is heard of a while later
   * has them, as {@link heard} says. Returns what to call when (ms) they have left.
   */
  sentBaselines(order: ServerOrder): (leftAt: number) => void {
    const sent = { floor: order - 1, timestamp: null, reply: null, leftAt: Number.POSITIVE_INFINITY };
    this.#open.push(sent);
    return (leftAt) => {
      sent.leftAt = leftAt;
    };
  }

  /** The client was heard of at this time (ms), or has taken leave. */
  heard(at: number): void {
    const [first] = this.#open;
    if (first?.reply === null && first.timestamp === null && at - first.leftAt >= IN_FLIGHT_MS)
      this.#open.shift();
  }

  /** A sync reply that waits for proof is being sent. */
  sentReply(reply: SentReply): void {
    this.#open.push({ floor: reply.from, reply });
  }

  /**
   * What it proves to say "I hold the operation with this timestamp, and all that you sent me before it".
   * Null: nothing that is open.
   *
   * Of a sync reply, only its last operation proves that it was applied. An earlier one may have been acknowledged for
   * a copy that an earlier connection brought, and proves what comes before it at the most.
   */
  proofOf(timestamp: Timestamp): Proof | null {
    if (timestamp === this.#sentBack) return { order: this.#open[0]?.floor ?? this.through, reply: null };
    const index = this.#indexOf(timestamp);
    const entry = this.#open[index];
    if (!entry) return null;
    if (entry.reply && entry.reply.last !== timestamp) {
      const { pending, listed, from } = entry.reply;
      const order = pending.reset ? from : (listed.get(timestamp) ?? from);
      return { order: this.#butOwed(order), reply: this.#lastReply(index) };
    }
    const order = this.#open[index + 1]?.floor ?? this.through;
    return { order: this.#butOwed(order), reply: this.#lastReply(index + 1) };
  }

  /** It was said, and what it proves was taken up. */
  acknowledge(timestamp: Timestamp): void {
    if (timestamp === this.#sentBack) {
      this.#owed = [];
      this.#sentBack = null;
      return;
    }
    const index = this.#indexOf(timestamp);
    const entry = this.#open[index];
    if (!entry) return;
    const isWhole = !entry.reply || entry.reply.last === timestamp;
    this.#open.splice(0, isWhole ? index + 1 : index);
  }

  /** Whether a reset was sent here that is not proven to be applied. */
  get awaitsReset(): boolean {
    return this.#open.some(({ reply }) => reply !== null && reply.pending.reset !== false);
  }

  /** The last sync reply before this entry. */
  #lastReply(before: number): PendingReply | null {
    return this.#open.slice(0, before).findLast((sent) => sent.reply)?.reply?.pending ?? null;
  }

  /** Everything up to here is held, as far as this connection can tell. */
  get held(): ServerOrder {
    return this.#butOwed(this.#open[0]?.floor ?? this.through);
  }

  #butOwed(order: ServerOrder): ServerOrder {
    const [first] = this.#owed;
    return first ? Math.min(order, first.order - 1) : order;
  }

  #indexOf(timestamp: Timestamp): number {
    // The oldest that it may stand for: a client acknowledges each message, in the order in which they came.
    return this.#open.findIndex((sent) =>
      sent.reply ? sent.reply.listed.has(timestamp) : sent.timestamp === timestamp,
    );
  }
}
