import type { Scheduler } from '../scheduler.js';

/** How long a reader may make no progress before its pin is taken away. */
const STALL_MS = 60_000;

/** Keeps a library from being folded while a reply is read. One that makes no progress is let go, and its reader fails. */
export class Pin {
  readonly #scheduler: Scheduler;
  readonly #onRelease: () => void;
  #cancel: () => void;
  #state: 'held' | 'released' | 'broken' = 'held';

  constructor(scheduler: Scheduler, onRelease: () => void) {
    this.#scheduler = scheduler;
    this.#onRelease = onRelease;
    this.#cancel = this.#watch();
  }

  /** The reader made progress. Throws where the pin was taken away: what is read next may be of another state. */
  touch(): void {
    if (this.#state === 'broken') throw new Error('The reply took too long to be read, and was given up.');
    this.#cancel();
    this.#cancel = this.#watch();
  }

  release(): void {
    this.#end('released');
  }

  /** Take the pin away: what it protects is gone. */
  break(): void {
    this.#end('broken');
  }

  #watch(): () => void {
    return this.#scheduler.after(STALL_MS, () => this.break());
  }

  #end(state: 'released' | 'broken'): void {
    if (this.#state !== 'held') return;
    this.#state = state;
    this.#cancel();
    this.#onRelease();
  }
}
