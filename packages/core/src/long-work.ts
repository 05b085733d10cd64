import type { Scheduler } from './scheduler.js';

/** How much is done in one turn of the event loop, in units of about an operation that is folded: 2 ms. */
export const TURN_SIZE = 150;

/**
 * Long work goes on piece by piece, those of all libraries in turn and with everything else in between: however many
 * libraries have something to do, the event loop is held up for about one large piece, and messages come first. Small
 * pieces share a turn, and so a commit.
 */
export class LongWork {
  readonly #scheduler: Scheduler;
  readonly #waiting: { size: number; go: () => void }[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Calls `go` when it is its turn, after those that asked before. `size`: how much it is of a turn, at most. */
  ask(size: number, go: () => void): void {
    this.#waiting.push({ size, go });
    if (this.#waiting.length === 1) this.#giveSoon();
  }

  /** Resolves when it is the caller's turn, with nobody else's. */
  next(): Promise<void> {
    return new Promise((resolve) => this.ask(TURN_SIZE, resolve));
  }

  #giveSoon(): void {
    // What came during the last turn is read in the next one, and worked off in the one after that: before more of this.
    this.#scheduler.soon(() => this.#scheduler.soon(() => this.#give()));
  }

  #give(): void {
    let count = 0;
    for (let room = TURN_SIZE; count < this.#waiting.length; count++) {
      room -= this.#waiting[count]!.size;
      if (room < 0 && count > 0) break;
    }
    const given = this.#waiting.splice(0, count);
    if (this.#waiting.length > 0) this.#giveSoon();
    for (const { go } of given) go();
  }
}
