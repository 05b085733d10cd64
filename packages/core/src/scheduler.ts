/** The engine's only way to time. Replaced in simulations by virtual time. */
export interface Scheduler {
  /** Wall-clock ms. */
  now(): number;
  /** Run `task` after `delayMs`. The returned function cancels it. */
  after(delayMs: number, task: () => void): () => void;
  /**
   * Like `after`, for what would be lost if the process left memory meanwhile, as a Durable Object does where `after` waits for
   * long. Default: `after`.
   */
  afterInMemory?(delayMs: number, task: () => void): () => void;
  /**
   * Like `after`, for what is only looked after now and then: does not wake a process that sleeps while nothing is due. Default:
   * `after`.
   */
  afterIfAwake?(delayMs: number, task: () => void): () => void;
  /** Run `task` soon, after what waits for I/O. */
  soon(task: () => void): void;
}

/** The longest delay that timers of JavaScript runtimes know; beyond, they fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Time as the JavaScript runtime has it. Its timers do not keep a process alive where the runtime allows that. */
export const systemScheduler: Scheduler = {
  now: () => Date.now(),
  after(delayMs, task) {
    let timer: unknown;
    const arm = (left: number) => {
      const step = Math.min(left, MAX_DELAY_MS);
      timer = setTimeout(() => (left > step ? arm(left - step) : task()), step);
      if (typeof timer === 'object' && timer !== null && 'unref' in timer)
        (timer as { unref(): void }).unref();
    };
    arm(delayMs);
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
  soon: soonTask(),
};

/** After what waits for I/O, where the runtime has a way to say so; messages of a burst are then worked off together. */
function soonTask(): (task: () => void) => void {
  const { setImmediate } = globalThis as { setImmediate?: (task: () => void) => unknown };
  if (setImmediate) return (task) => void setImmediate(task);
  return (task) => void setTimeout(task, 0);
}

/** {@link Scheduler.afterInMemory}, where the scheduler has it. */
export const afterInMemory = (scheduler: Scheduler, delayMs: number, task: () => void): (() => void) =>
  scheduler.afterInMemory ? scheduler.afterInMemory(delayMs, task) : scheduler.after(delayMs, task);

/** {@link Scheduler.afterIfAwake}, where the scheduler has it. */
export const afterIfAwake = (scheduler: Scheduler, delayMs: number, task: () => void): (() => void) =>
  scheduler.afterIfAwake ? scheduler.afterIfAwake(delayMs, task) : scheduler.after(delayMs, task);
