import type { Scheduler } from './scheduler.js';

/**
 * Long work goes on piece by piece, one of all libraries at a time and with everything else in between: however many
 * libraries have something to do, the event loop is held up for one piece.
 */
export class LongWork {
  readonly #scheduler: Scheduler;
  readonly #waiting: (() => void)[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Calls `go` when it is its turn, after those that asked before. */
  ask(go: () => void): void {
    this.#waiting.push(go);
    if (this.#waiting.length === 1) this.#giveSoon();
  }

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    return new Promise((resolve) => this.ask(resolve));
  }

  #giveSoon(): void {
    this.#scheduler.soon(() => {
      const go = this.#waiting.shift();
      if (this.#waiting.length > 0) this.#giveSoon();
      go?.();
    });
  }
}
