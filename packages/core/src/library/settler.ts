import { findConsensus } from './consensus.js';
import { laterOf } from './later-of.js';
import type { LiveLibrary } from './live-library.js';
import type { Rebaser } from './rebaser.js';
import { changeSoftly, replicaOf } from './state.js';
import { encodeMessage } from './wire.js';

/**
 * How long changes of the global ack are gathered before the last one is announced. Also how much a client's messages
 * may overtake each other before others fold past what it wrote.
 */
const SETTLE_MS = 500;

/** Between two announcements: a library in which little is written is settled, and folded, once for several changes. */
const APART_MS = 1_000;

/** While the server is busy, a library waits until so many operations have gathered, or for so long. */
const ENOUGH_OPERATIONS = 32;
const PATIENCE_MS = 10_000;

/** It is written down this often that a socket is there: a commit for each library, of which most may be at rest. */
const SEEN_MS = 15 * 60_000;

/** Sees to what is announced, or written, later than it happened: the global ack, and what replicas acknowledged. */
export class Settler {
  readonly #library: LiveLibrary;
  readonly #rebaser: Rebaser;
  /** Whether it is time to {@link run}. */
  isDue = false;
  #at: number | null = null;
  #announcedAt = Number.NEGATIVE_INFINITY;
  #cancel = () => {};

  constructor(library: LiveLibrary, rebaser: Rebaser) {
    this.#library = library;
    this.#rebaser = rebaser;
  }

  /** Something changed: see to it soon. Calls that come together count as one. */
  soon(delayMs = SETTLE_MS): void {
    const { scheduler } = this.#library.services;
    const now = scheduler.now();
    const at = Math.max(now + delayMs, this.#announcedAt + APART_MS);
    if (this.isDue || (this.#at !== null && this.#at <= at)) return;
    this.#cancel();
    this.#at = at;
    this.#cancel = scheduler.after(at - now, () => {
      this.#at = null;
      this.isDue = true;
      this.#library.wake();
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** Announce the global ack where it rose, write what is due, and see whether history can be folded. */
  async run(): Promise<void> {
    this.isDue = false;
    const library = this.#library;
    const { state, roll } = library;
    const now = library.services.scheduler.now();
    this.#noteSeen(now);
    const { globalAck } = findConsensus(state.replicas.values(), roll, library.activeSince);
    const { head } = state;
    const rose = globalAck !== null && (head.announcedAck === null || globalAck > head.announcedAck);
    const listeners = [...roll.sockets].filter((socket) => socket.synced);
    const due = Math.min(...state.dirty.values());
    const mayTell = rose && head.founded && (listeners.length > 0 || head.operations > 0);
    const waits = mayTell && this.#mayWait(now);
    if (mayTell && !waits) {
      const horizon = laterOf(head.horizon, globalAck);
      this.#announcedAt = now;
      await this.#rebaser.commitWith({ ...head, announcedAck: globalAck, horizon });
      const text = encodeMessage({ type: 'global-ack', timestamp: globalAck });
      for (const socket of listeners) socket.outbox.send(text);
    } else if (due <= now && head.version > 0) {
      await library.commit({ head });
    } else if (due !== Number.POSITIVE_INFINITY) {
      this.soon(due - now);
    }
    if (waits) this.soon(APART_MS);
    this.#rebaser.consider();
  }

  /** Whether what is told and folded later costs the server less than it is worth now. */
  #mayWait(now: number): boolean {
    const { services, state } = this.#library;
    const isRecent = now - this.#announcedAt < PATIENCE_MS;
    return isRecent && state.head.operations < ENOUGH_OPERATIONS && services.rounds.isBusy;
  }

  /** An open socket that has synced is seen all the time; written down before it could look like truancy. */
  #noteSeen(now: number): void {
    const { state, roll, services } = this.#library;
    const stale = now - Math.min(SEEN_MS, services.settings.truancyMs / 4);
    for (const socket of roll.sockets) {
      const row = socket.synced && replicaOf(socket, state);
      if (row && row.lastSeen < stale) changeSoftly(state, { ...row, lastSeen: now }, now);
    }
  }
}
