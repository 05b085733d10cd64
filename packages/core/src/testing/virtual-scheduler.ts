import type { Scheduler } from '../scheduler.js';

/** Time that passes only when a test says so. */
export class VirtualScheduler implements Scheduler {
  #now = Date.UTC(2026, 0, 1);
  #next = 0;
  #tasks: { at: number; order: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { at: this.#now + delayMs, order: this.#next++, run: task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  soon(task: () => void): void {
    this.after(0, task);
  }

  /** Let `ms` pass, running what falls due, and everything that follows from it. */
  async pass(ms = 0): Promise<void> {
    const end = this.#now + ms;
    while (await this.step(end));
    this.#now = end;
  }

  /** Run the next task that is due at `until`. False: there is none. */
  async step(until = this.#now): Promise<boolean> {
    await settleMicrotasks();
    const due = this.#tasks
      .filter(({ at }) => at <= until)
      .sort((a, b) => a.at - b.at || a.order - b.order)[0];
    if (!due) return false;
    this.#tasks = this.#tasks.filter((other) => other !== due);
    this.#now = Math.max(this.#now, due.at);
    due.run();
    return true;
  }
}

/** Storage in memory, and everything else here, needs microtasks only. */
const settleMicrotasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
