import type { Scheduler } from './scheduler.js';

/** So many seconds' worth may come at once, where nothing else is said. */
export const BURST_SECONDS = 10;

/**
 * How much may come in a second, as a token bucket. More is never turned away here: it is owed, and
 * {@link Rate.waitMs} says for how long nothing should come.
 */
export class Rate {
  readonly #scheduler: Scheduler;
  readonly #perMs: number;
  readonly #burst: number;
  /** What may come at once; below zero, what is owed. */
  #left: number;
  #at: number;

  constructor(perSecond: number, scheduler: Scheduler, { burstSeconds = BURST_SECONDS } = {}) {
    this.#scheduler = scheduler;
    this.#perMs = perSecond / 1_000;
    this.#burst = Math.max(1, perSecond * burstSeconds);
    this.#left = this.#burst;
    this.#at = scheduler.now();
  }

  take(amount: number): void {
    this.#refill();
    this.#left -= amount;
  }

  /** How long, in ms, until nothing is owed. */
  get waitMs(): number {
    return this.waitMsFor(0);
  }

  /** How long, in ms, until so much may be taken, and nothing is owed for it. */
  waitMsFor(amount: number): number {
    this.#refill();
    return this.#left >= amount ? 0 : Math.ceil((amount - this.#left) / this.#perMs);
  }

  /** Whether it is as if nothing had come. */
  get isFull(): boolean {
    this.#refill();
    return this.#left >= this.#burst;
  }

  #refill(): void {
    const now = this.#scheduler.now();
    // A clock that is set back makes nobody wait for it.
    if (now > this.#at) this.#left = Math.min(this.#burst, this.#left + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
