import { type UserId, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { Limits } from './limits.js';
import { Rate } from './rate.js';
import type { Scheduler } from './scheduler.js';

/** What one user may send, on all sockets and over HTTP together, in all libraries. */
export class UserBudget {
  readonly #maxUnfinishedBytes: number;
  readonly #messages: Rate;
  readonly #bytes: Rate;
  readonly #requests: Rate;
  #unfinishedBytes = 0;

  constructor(limits: Limits, scheduler: Scheduler) {
    this.#maxUnfinishedBytes = limits.maxUnfinishedBytesPerUser;
    this.#messages = new Rate(limits.maxMessagesPerSecondPerUser, scheduler);
    this.#bytes = new Rate(limits.maxBytesPerSecondPerUser, scheduler);
    this.#requests = new Rate(limits.maxRequestsPerSecondPerUser, scheduler);
  }

  /** Messages came. */
  take(messages: number, bytes: number): void {
    this.#messages.take(messages);
    this.#bytes.take(bytes);
  }

  /** How long the user's sockets should not be read, in ms. */
  get waitMs(): number {
    return Math.max(this.#messages.waitMs, this.#bytes.waitMs);
  }

  /** A request comes. Throws `VerdantError` (5030) where it comes too early; that costs nothing. */
  takeRequest(): void {
    const waitMs = Math.max(this.waitMs, this.#requests.waitMsFor(1));
    if (waitMs > 0) throw tooMuch(waitMs);
    this.#requests.take(1);
  }

  /** So many bytes more of what is not whole are in memory; false: that is too much, and they are not counted. */
  hold(bytes: number): boolean {
    if (bytes > 0 && this.#unfinishedBytes + bytes > this.#maxUnfinishedBytes) return false;
    this.#unfinishedBytes += bytes;
    return true;
  }

  /** They are whole, or gone. */
  letGo(bytes: number): void {
    this.#unfinishedBytes -= bytes;
  }

  /** Whether it is as if it were new. */
  get isUnused(): boolean {
    return (
      this.#unfinishedBytes === 0 && this.#messages.isFull && this.#bytes.isFull && this.#requests.isFull
    );
  }
}

/** The budgets of those who sent something lately. */
export class UserBudgets {
  readonly #limits: Limits;
  readonly #scheduler: Scheduler;
  readonly #budgets = new Map<UserId, UserBudget>();
  #sweepAt = SWEEP_LEAST;

  constructor(limits: Limits, scheduler: Scheduler) {
    this.#limits = limits;
    this.#scheduler = scheduler;
  }

  /** Asked for anew each time: one that was not used for a while is forgotten. */
  of(userId: UserId): UserBudget {
    const known = this.#budgets.get(userId);
    if (known) return known;
    if (this.#budgets.size >= this.#sweepAt) this.#sweep();
    const budget = new UserBudget(this.#limits, this.#scheduler);
    this.#budgets.set(userId, budget);
    return budget;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#budgets.size;
  }

  #sweep(): void {
    for (const [userId, budget] of this.#budgets) if (budget.isUnused) this.#budgets.delete(userId);
    // Twice as many as are in use: so each costs no more than its share of the sweeps.
    this.#sweepAt = Math.max(SWEEP_LEAST, 2 * this.#budgets.size);
  }
}

const SWEEP_LEAST = 1_000;

const tooMuch = (waitMs: number): VerdantError =>
  new VerdantError(VerdantErrorCode.Busy, 'This user sends too much. Wait before you send more.', {
    retryAfter: Math.ceil(waitMs / 1_000),
  });
