import type { Scheduler } from '../scheduler.js';

/**
 * So many libraries are at work at once. What lies between a message and its commit is several times as large as the
 * message, and is collected cheaply only where it is soon over; and a commit that is shared by more gains nothing.
 */
const LIBRARIES_A_ROUND = 64;

/** For so long after more libraries had work than fit into a round, the server is taken for busy. */
const BUSY_MS = 1_000;

/** Libraries that have something to work off take turns, so many in each turn of the event loop. */
export class Rounds {
  readonly #scheduler: Scheduler;
  readonly #waiting: (() => void)[] = [];
  #busyUntil = Number.NEGATIVE_INFINITY;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Calls `go` in one of the next rounds, in the order in which it was asked for. */
  join(go: () => void): void {
    this.#waiting.push(go);
    if (this.#waiting.length === 1) this.#scheduler.soon(this.#begin);
  }

  /** Whether messages wait for other libraries' messages: what nobody waits for had better wait, too. */
  get isBusy(): boolean {
    return this.#scheduler.now() < this.#busyUntil;
  }

  readonly #begin = (): void => {
    const round = this.#waiting.splice(0, LIBRARIES_A_ROUND);
    if (this.#waiting.length > 0) {
      this.#busyUntil = this.#scheduler.now() + BUSY_MS;
      this.#scheduler.soon(this.#begin);
    }
    for (const go of round) go();
  };
}
