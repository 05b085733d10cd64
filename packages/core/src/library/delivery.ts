import type { ServerOrder, Timestamp } from '@verdant-web/protocol';
import type { PendingReply } from '../storage/rows.js';

/** A sync reply that was sent on a connection, and what it listed. */
export interface SentReply {
  readonly pending: PendingReply;
  /** What the replica held before it. */
  readonly from: ServerOrder;
  /** Timestamps of operations in it, filled while it is sent; the last ones of a long reply, which are what clients ack. */
  readonly listed: Set<Timestamp>;
}

/** What an acknowledgement proves. */
export interface Proof {
  /** The replica holds everything up to here. */
  order: ServerOrder;
  /** The latest sync reply that it has applied, where that is news. */
  reply: PendingReply | null;
}

type Sent =
  | { floor: ServerOrder; timestamp: Timestamp; reply: null }
  | { floor: ServerOrder; reply: SentReply };

/** More than a client that acks at all leaves open; one that never does costs no more memory than this. */
const MAX_OPEN = 10_000;

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

  /** An operation of somebody else is being sent. */
  sentOperation(order: ServerOrder, timestamp: Timestamp): void {
    // The first entry stays: it says what the replica is known to hold.
    if (this.#open.length >= MAX_OPEN) this.#open.splice(1, MAX_OPEN / 2);
    this.#open.push({ floor: order - 1, timestamp, reply: null });
  }

  /** A sync reply that waits for proof is being sent. */
  sentReply(reply: SentReply): void {
    this.#open.push({ floor: reply.from, reply });
  }

  /**
   * What it proves to say "I hold the operation with this timestamp, and all that you sent me before it".
   * Null: nothing that is open.
   */
  proofOf(timestamp: Timestamp): Proof | null {
    const index = this.#indexOf(timestamp);
    if (index < 0) return null;
    const reply = this.#open.slice(0, index + 1).findLast((sent) => sent.reply)?.reply ?? null;
    return { order: this.#open[index + 1]?.floor ?? this.through, reply: reply?.pending ?? null };
  }

  /** It was said, and what it proves was taken up. */
  acknowledge(timestamp: Timestamp): void {
    this.#open.splice(0, this.#indexOf(timestamp) + 1);
  }

  /** Everything up to here is held, as far as this connection can tell. */
  get held(): ServerOrder {
    return this.#open[0]?.floor ?? this.through;
  }

  #indexOf(timestamp: Timestamp): number {
    return this.#open.findLastIndex((sent) =>
      sent.reply ? sent.reply.listed.has(timestamp) : sent.timestamp === timestamp,
    );
  }
}
