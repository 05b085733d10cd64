import type { Scheduler } from '@verdant-web/core';
import type { Random } from './random.js';

interface Task {
  at: number;
  tie: number;
  sequence: number;
  /** Null: cancelled. */
  run: (() => void) | null;
}

/**
 * Time that passes only from one task to the next. What is due at the same millisecond runs in an order that the seed
 * decides; between two tasks everything that waits on promises has settled.
 */
export class VirtualTime {
  readonly #random: Random;
  readonly #heap: Task[] = [];
  #now: number;
  #sequence = 0;
  /** How many tasks have run. */
  steps = 0;

  constructor(start: number, random: Random) {
    this.#now = start;
    this.#random = random;
  }

  now(): number {
    return this.#now;
  }

  schedule(delayMs: number, run: () => void): () => void {
    const task: Task = {
      at: this.#now + Math.max(0, Math.ceil(delayMs)),
      tie: this.#random.next(),
      sequence: this.#sequence++,
      run,
    };
    push(this.#heap, task);
    return () => {
      task.run = null;
    };
  }

  /** Tasks of one owner, that end with it. */
  scope(): Scope {
    return new Scope(this);
  }

  /** Run what is due until `at`, or until `stop` says so, which is asked after each task. */
  async runUntil(at: number, stop: () => boolean): Promise<void> {
    for (;;) {
      const next = this.#heap[0];
      if (!next || next.at > at) break;
      pop(this.#heap);
      if (!next.run) continue;
      this.#now = next.at;
      this.steps++;
      next.run();
      await settled();
      if (stop()) return;
    }
    this.#now = Math.max(this.#now, at);
  }
}

/** The timers of one owner: a server process, a page. All of them end when it does, without a word. */
export class Scope implements Scheduler {
  readonly #time: VirtualTime;
  #open = true;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  now(): number {
    return this.#time.now();
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#time.schedule(delayMs, () => {
      if (this.#open) task();
    });
  }

  soon(task: () => void): void {
    this.after(0, task);
  }

  /** Resolves later; never, where the owner ends before. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  end(): void {
    this.#open = false;
  }
}

/** Everything that waits on promises alone has run by the next turn of the real event loop. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isBefore = (a: Task, b: Task): boolean =>
  a.at !== b.at ? a.at < b.at : a.tie !== b.tie ? a.tie < b.tie : a.sequence < b.sequence;

function push(heap: Task[], task: Task): void {
  let index = heap.length;
  heap.push(task);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isBefore(task, heap[parent]!)) break;
    heap[index] = heap[parent]!;
    index = parent;
  }
  heap[index] = task;
}

function pop(heap: Task[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, last)) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = last;
}
