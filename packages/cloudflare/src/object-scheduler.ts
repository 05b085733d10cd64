import { type Scheduler, systemScheduler } from '@verdant-web/core';

/** Who waits for no longer than this keeps the object in memory; what is due later is left to an alarm. */
const AWAKE_MS = 15_000;

/**
 * Time in a Durable Object. A timer would keep it in memory, and its owner paying: what is due later than in some seconds
 * waits in a list, and an alarm wakes the object for it. Should it have left memory until then, the object that wakes finds
 * out anew what is due.
 */
export class ObjectScheduler implements Scheduler {
  readonly #later = new Set<{ at: number; task: () => void }>();

  now(): number {
    return systemScheduler.now();
  }

  soon(task: () => void): void {
    systemScheduler.soon(task);
  }

  after(delayMs: number, task: () => void): () => void {
    if (delayMs <= AWAKE_MS) return systemScheduler.after(delayMs, task);
    const timer = { at: this.now() + delayMs, task };
    this.#later.add(timer);
    return () => this.#later.delete(timer);
  }

  afterInMemory(delayMs: number, task: () => void): () => void {
    return systemScheduler.after(delayMs, task);
  }

  /** When (ms) the object has to be awake for the next of them; null: there is none. */
  get nextAt(): number | null {
    let next: number | null = null;
    for (const { at } of this.#later) if (next === null || at < next) next = at;
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
