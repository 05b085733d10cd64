import type { Scheduler } from '@verdant-web/core';

/** A scheduler that knows how many of its tasks are yet to run. */
export class CountedScheduler implements Scheduler {
  pending = 0;
  readonly #inner: Scheduler;

  constructor(inner: Scheduler) {
    this.#inner = inner;
  }

  now(): number {
    return this.#inner.now();
  }

  after(delayMs: number, task: () => void): () => void {
    let isPending = true;
    const settle = () => {
      if (isPending) this.pending--;
      isPending = false;
    };
    this.pending++;
    const cancel = this.#inner.after(delayMs, () => {
      settle();
      task();
    });
    return () => {
      settle();
      cancel();
    };
  }

  soon(task: () => void): void {
    this.pending++;
    this.#inner.soon(() => {
      this.pending--;
      task();
    });
  }
}
