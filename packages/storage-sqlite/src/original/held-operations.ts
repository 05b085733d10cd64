import { type ReplicaId, type Timestamp, timestampMs } from '@verdant-web/protocol';
import { type Holdings, isUnproven, type OriginalReplica } from './original-replica.js';

/** An operation, in the order that it gets here. */
export interface PlacedOperation {
  replicaId: ReplicaId;
  timestamp: Timestamp;
  /** The server order that the original gave it; 0: none. */
  original: number;
}

/**
 * Finds out how many operations, from the first on, each replica holds, while they pass by in order.
 *
 * Both mistakes are bad: what a replica holds and is sent again it may have folded, and would then apply twice; what it
 * lacks and is not sent is lost to it. So:
 *
 * - What it wrote itself it holds. The original's acknowledged order does not move over that.
 * - Otherwise it holds what it acknowledged by server order.
 * - An acknowledged order above all there are says nothing: orders were given out anew after everything was folded, and
 *   forged ones were believed. A replica that never acknowledged anything was just sent all there was. Of both, what is
 *   dated below the global ack, and before they were last seen, was there then. The rest they are sent again: it cannot
 *   be folded anywhere.
 * - Operations without an order are from before there were orders. Those below the global ack all hold.
 *
 * It can be unsure of a replica: where it has not acknowledged something that is dated below the global ack, and below the
 * last that it said itself. It may have folded that: it sends its acknowledgement apart from the next poll, which gets
 * lost alone, and an operation that came twice got a new order. Or it may not have been sent it: somebody wrote without
 * a network, and came back later. Neither guess would be safe.
 */
export class HeldOperations {
  readonly #settled: Timestamp | null;
  /** Those whose acknowledged order means something, by it: they hold all that has come so far. */
  readonly #waiting: OriginalReplica[];
  readonly #ordered: ReadonlySet<OriginalReplica>;
  #next = 0;
  /** Those of which each operation says anew whether they hold it. */
  readonly #asked = new Set<OriginalReplica>();
  readonly #held = new Map<OriginalReplica, number>();
  /** Those that lack something, of which they have folded nothing so far. */
  readonly #behind = new Set<OriginalReplica>();
  readonly #unsure = new Set<OriginalReplica>();
  readonly #writtenThrough = new Map<ReplicaId, Timestamp>();
  #passed = 0;

  constructor(replicas: readonly OriginalReplica[], highestOrder: number, settled: Timestamp | null) {
    this.#settled = settled;
    const isOrdered = (replica: OriginalReplica) =>
      replica.ackedOrder <= highestOrder && !isUnproven(replica);
    this.#waiting = replicas.filter(isOrdered).sort((a, b) => a.ackedOrder - b.ackedOrder);
    this.#ordered = new Set(this.#waiting);
    for (const replica of replicas) if (!this.#ordered.has(replica)) this.#asked.add(replica);
  }

  pass(operation: PlacedOperation): void {
    const { replicaId, timestamp } = operation;
    const written = this.#writtenThrough.get(replicaId);
    if (written === undefined || timestamp > written) this.#writtenThrough.set(replicaId, timestamp);

    const order = operation.original > 0 ? operation.original : this.#isSettled(timestamp) ? 0 : Infinity;
    for (; this.#next < this.#waiting.length && this.#waiting[this.#next]!.ackedOrder < order; this.#next++) {
      this.#asked.add(this.#waiting[this.#next]!);
    }
    for (const replica of this.#asked) {
      if (replicaId === replica.id || this.#wasThere(replica, operation)) continue;
      this.#asked.delete(replica);
      this.#held.set(replica, this.#passed);
      this.#behind.add(replica);
    }
    for (const replica of this.#isSettled(timestamp) ? this.#behind : NONE) {
      if (replicaId === replica.id || (replica.ackedTime !== null && timestamp >= replica.ackedTime))
        continue;
      this.#behind.delete(replica);
      this.#unsure.add(replica);
    }
    this.#passed++;
  }

  holdingsOf(replica: OriginalReplica): Holdings {
    return {
      held: this.#held.get(replica) ?? this.#passed,
      unsure: this.#unsure.has(replica),
      writtenThrough: this.#writtenThrough.get(replica.id) ?? null,
    };
  }

  #isSettled(timestamp: Timestamp): boolean {
    return this.#settled !== null && timestamp < this.#settled;
  }

  /** Whether a replica whose acknowledged order says nothing holds the operation. */
  #wasThere(replica: OriginalReplica, { timestamp }: PlacedOperation): boolean {
    return (
      !this.#ordered.has(replica) && this.#isSettled(timestamp) && timestampMs(timestamp) <= replica.lastSeen
    );
  }
}

const NONE: ReadonlySet<OriginalReplica> = new Set();
