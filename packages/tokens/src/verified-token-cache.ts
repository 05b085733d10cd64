import type { VerifiedToken } from './verified-token.js';

/**
 * Tokens whose signature was checked already, the least recently used ones forgotten first.
 *
 * An idle client polls with the same token for hours, and checking it costs more than all else that such a poll does.
 * Only genuine tokens get in here, so strangers cannot fill it.
 */
export class VerifiedTokenCache {
  /** In order of use: a `Map` keeps the order in which keys were added. */
  readonly #tokens = new Map<string, Entry>();
  readonly #capacity: number;
  readonly #now: () => number;

  constructor(capacity: number, now: () => number) {
    this.#capacity = capacity;
    this.#now = now;
  }

  get size(): number {
    return this.#tokens.size;
  }

  get(token: string): VerifiedToken | undefined {
    const entry = this.#tokens.get(token);
    if (!entry) return undefined;
    this.#tokens.delete(token);
    if (entry.goodUntil <= this.#now()) return undefined;
    this.#tokens.set(token, entry);
    return entry.verified;
  }

  /** @param goodUntil From when on, in milliseconds of Unix time, it has to be checked again. */
  add(token: string, verified: VerifiedToken, goodUntil: number): void {
    this.#tokens.delete(token);
    this.#tokens.set(token, { verified, goodUntil });
    if (this.#tokens.size > this.#capacity) {
      const [leastRecentlyUsed] = this.#tokens.keys();
      this.#tokens.delete(leastRecentlyUsed!);
    }
  }
}

interface Entry {
  verified: VerifiedToken;
  goodUntil: number;
}
