/**
 * One at a time is at work on a file. Whoever comes later asks the one before to stop, and waits until it has: a client
 * that tries again does not wait for what is left of its first try.
 */
export class FileTurns {
  readonly #last = new Map<string, Turn>();

  /** `signal` is aborted when somebody else wants the file; who is in the middle of something may finish it. */
  take<Result>(id: string, task: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const before = this.#last.get(id);
    before?.controller.abort();
    const controller = new AbortController();
    const result = (before?.done ?? Promise.resolve()).then(() => task(controller.signal));
    const turn: Turn = { controller, done: result.then(noop, noop) };
    this.#last.set(id, turn);
    void turn.done.then(() => {
      if (this.#last.get(id) === turn) this.#last.delete(id);
    });
    return result;
  }

  /** Whether anybody is at work on the file. */
  isTaken(id: string): boolean {
    return this.#last.has(id);
  }
}

interface Turn {
  controller: AbortController;
  done: Promise<void>;
}

const noop = (): void => {};
