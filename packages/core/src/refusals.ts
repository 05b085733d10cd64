import { afterInMemory, type Scheduler } from './scheduler.js';

interface Held {
  /** When (ms) it is let go. */
  until: number;
}

/**
 * Slows down whoever comes back with what was refused.
 *
 * Clients reconnect without delay, so a refusal that would repeat must take its time: the socket, or the pending
 * upgrade, is held and closed later. The first refusal of a key costs no delay, the next 1 s, then double, up to 60 s.
 * A key that stays away for twice its last delay, and at least a minute, starts afresh.
 */
export class Refusals {
  readonly #scheduler: Scheduler;
  readonly #maxHeld: number;
  readonly #strikes = new Map<string, { count: number; at: number }>();
  readonly #held = new Set<Held>();

  constructor({ scheduler, maxHeld }: { scheduler: Scheduler; maxHeld: number }) {
    this.#scheduler = scheduler;
    this.#maxHeld = maxHeld;
  }

  /**
   * Call `release` when the one refused may be let go; at once where too many are held already.
   * The returned function lets go earlier, without calling `release`: the other side left.
   */
  hold(key: string, release: () => void): () => void {
    const delay = this.#strike(key);
    if (this.#held.size >= this.#maxHeld) this.#forgetOverdue();
    if (delay === 0 || this.#held.size >= this.#maxHeld) {
      release();
      return () => {};
    }
    const held: Held = { until: this.#scheduler.now() + delay };
    this.#held.add(held);
    // Who sleeps meanwhile forgets how often whom was refused.
    const cancel = afterInMemory(this.#scheduler, delay, () => {
      if (this.#held.delete(held)) release();
    });
    return () => {
      if (this.#held.delete(held)) cancel();
    };
  }

  /** How many are held now. */
  get held(): number {
    return this.#held.size;
  }

  /** Workers drop the timers of a request whose client left: those would be held for ever. */
  #forgetOverdue(): void {
    const now = this.#scheduler.now();
    for (const held of this.#held) if (held.until < now) this.#held.delete(held);
  }

  #strike(key: string): number {
    const now = this.#scheduler.now();
    const earlier = this.#strikes.get(key);
    const count = earlier && now - earlier.at < forgetAfter(earlier.count) ? earlier.count + 1 : 1;
    // Re-inserted, so that the map stays in order of last strike and the oldest can be dropped.
    this.#strikes.delete(key);
    this.#strikes.set(key, { count, at: now });
    if (this.#strikes.size > MAX_KEYS) {
      for (const oldest of this.#strikes.keys()) {
        this.#strikes.delete(oldest);
        break;
      }
    }
    return delayFor(count);
  }
}

const MAX_KEYS = 50_000;
const MAX_DELAY_MS = 60_000;

const delayFor = (count: number): number =>
  count <= 1 ? 0 : Math.min(MAX_DELAY_MS, 1_000 * 2 ** (count - 2));

const forgetAfter = (count: number): number => Math.max(60_000, 2 * delayFor(count));
