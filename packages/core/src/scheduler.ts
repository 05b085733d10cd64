/** The engine's only way to time. Replaced in simulations by virtual time. */
export interface Scheduler {
  /** Wall-clock ms. */
  now(): number;
  /** Run `task` after `delayMs`. The returned function cancels it. */
  after(delayMs: number, task: () => void): () => void;
  /** Run `task` soon, after what waits for I/O. */
  soon(task: () => void): void;
}

/** Time as the JavaScript runtime has it. Its timers do not keep a process alive where the runtime allows that. */
export const systemScheduler: Scheduler = {
  now: () => Date.now(),
  after(delayMs, task) {
    const timer: unknown = setTimeout(task, delayMs);
    if (typeof timer === 'object' && timer !== null && 'unref' in timer) (timer as { unref(): void }).unref();
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
  soon(task) {
    setTimeout(task, 0);
  },
};
