import type { VerdantEventMap, VerdantEvents } from './events.js';
import type { Log } from './log.js';

/** Calls those who listen. One that throws is logged, and disturbs nobody. */
export class EventHub implements VerdantEvents {
  readonly #log: Log;
  readonly #listeners = new Map<keyof VerdantEventMap, Set<(...args: never[]) => unknown>>();

  constructor(log: Log) {
    this.#log = log;
  }

  subscribe<Kind extends keyof VerdantEventMap>(kind: Kind, listener: VerdantEventMap[Kind]): () => void {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  /** Whether anybody listens: what is emitted need not be made otherwise. */
  hears(kind: keyof VerdantEventMap): boolean {
    return (this.#listeners.get(kind)?.size ?? 0) > 0;
  }

  emit<Kind extends keyof VerdantEventMap>(kind: Kind, ...args: Parameters<VerdantEventMap[Kind]>): void {
    for (const listener of this.#listeners.get(kind) ?? []) {
      void this.#call(kind, listener as (...args: Parameters<VerdantEventMap[Kind]>) => unknown, args);
    }
  }

  async #call<Args extends unknown[]>(
    kind: string,
    listener: (...args: Args) => unknown,
    args: Args,
  ): Promise<void> {
    try {
      await listener(...args);
    } catch (error) {
      this.#log.error?.({ event: kind, err: error }, 'A listener failed.');
    }
  }
}
