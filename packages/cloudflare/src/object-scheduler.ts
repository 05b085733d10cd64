import { type Scheduler, systemScheduler } from '@verdant-web/core';

/** Who waits for no longer than this keeps the object in memory; what is due later is left to an alarm. */
const AWAKE_MS = 15_000;

interface Timer {
  at: number;
  task: () => void;
  /** Whether the object wakes for it. */
  wakes: boolean;
}

/**
 * Time in a Durable Object. A timer would keep it in memory, and its owner paying: what is due later than in some seconds
 * waits in a list, and an alarm wakes the object for it. Should it have left memory until then, the object that wakes finds
 * out anew what is due.
 */
export class ObjectScheduler implements Scheduler {
  readonly #later = new Set<Timer>();

  now(): number {
    return systemScheduler.now();
  }

  soon(task: () => void): void {
    systemScheduler.soon(task);
  }

  after(delayMs: number, task: () => void): () => void {
    if (delayMs <= AWAKE_MS) return systemScheduler.after(delayMs, task);
    return this.#wait(delayMs, task, true);
  }

  afterInMemory(delayMs: number, task: () => void): () => void {
    return systemScheduler.after(delayMs, task);
  }

  afterIfAwake(delayMs: number, task: () => void): () => void {
    return this.#wait(delayMs, task, false);
  }

  #wait(delayMs: number, task: () => void, wakes: boolean): () => void {
    const timer = { at: this.now() + delayMs, task, wakes };
    this.#later.add(timer);
    return () => this.#later.delete(timer);
  }

  /** When (ms) the object has to be awake for the next of them; null: there is none. */
  get nextAt(): number | null {
    let next: number | null = null;
    for (const { at, wakes } of this.#later) if (wakes && (next === null || at < next)) next = at;
    return next;
  }

  /** Do what is due. Called whenever the object is awake. */
  runDue(): void {
    const now = this.now();
    for (const timer of [...this.#later]) {
      if (timer.at > now || !this.#later.delete(timer)) continue;
      timer.task();
    }
  }
}
