import type { SqlDatabase } from './database.js';

/** A group that has worked this long commits; the rest of the queue waits for the next one. */
const MAX_GROUP_MS = 20;

interface Job {
  work: (database: SqlDatabase) => unknown;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

interface Done {
  job: Job;
  outcome: { result: unknown } | { error: unknown };
}

/**
 * Lets libraries that share one database share its commits: what is asked for until `schedule` calls back goes into
 * one transaction, and so costs one flush to disk. A piece of work that throws rolls back alone.
 */
export class WriteGroup {
  readonly #database: SqlDatabase;
  readonly #schedule: (flush: () => void) => void;
  #queue: Job[] = [];
  #scheduled = false;

  constructor(database: SqlDatabase, schedule: (flush: () => void) => void) {
    this.#database = database;
    this.#schedule = schedule;
  }

  /** Resolves after the transaction that `work` was part of has committed. */
  write<T>(work: (database: SqlDatabase) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (result: unknown) => void, reject });
      this.#wake();
    });
  }

  /** Commits everything that waits, now. */
  flushAll(): void {
    while (this.#queue.length > 0) this.#flush();
  }

  #wake(): void {
    if (this.#scheduled || this.#queue.length === 0) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.#flush();
      this.#wake();
    });
  }

  #flush(): void {
    if (this.#queue.length === 0) return;
    if (this.#queue.length === 1) {
      this.#flushOne(this.#queue.pop()!);
      return;
    }
    const started: Job[] = [];
    try {
      const done = this.#database.driver.transaction(() => this.#work(started));
      for (const { job, outcome } of done) settle(job, outcome);
    } catch (error) {
      // Nothing of it was committed, whatever became of its parts. Where it could not even begin, neither will the rest.
      const failed = started.length > 0 ? started : this.#queue.splice(0);
      for (const job of failed) job.reject(error);
    }
  }

  /** Nothing else is in the transaction that would have to be kept where this fails. */
  #flushOne(job: Job): void {
    try {
      job.resolve(this.#database.driver.transaction(() => job.work(this.#database)));
    } catch (error) {
      job.reject(error);
    }
  }

  #work(started: Job[]): Done[] {
    const { driver } = this.#database;
    const deadline = performance.now() + MAX_GROUP_MS;
    const done: Done[] = [];
    do {
      const job = this.#queue.shift();
      if (!job) break;
      started.push(job);
      try {
        done.push({ job, outcome: { result: driver.transaction(() => job.work(this.#database)) } });
      } catch (error) {
        done.push({ job, outcome: { error } });
      }
    } while (performance.now() < deadline);
    return done;
  }
}

function settle(job: Job, outcome: Done['outcome']): void {
  if ('error' in outcome) job.reject(outcome.error);
  else job.resolve(outcome.result);
}
