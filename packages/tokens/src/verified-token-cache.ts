import type { VerifiedToken } from './token-verifier.js';

/**
 * Tokens whose signature was checked already, the least recently used ones forgotten first.
 *
 * An idle client polls with the same token for hours, and checking it costs more than all else that such a poll does.
 * Only genuine tokens get in here, so strangers cannot fill it.
 */
export class VerifiedTokenCache {
  /** In order of use: a `Map` keeps the order in which keys were added. */
  readonly #tokens = new Map<string, VerifiedToken>();

  constructor(
    private readonly capacity: number,
    /** Whether a token has ended, by the clock of now. */
    private readonly hasEnded: (token: VerifiedToken) => boolean,
  ) {}

  get size(): number {
    return this.#tokens.size;
  }

  get(token: string): VerifiedToken | undefined {
    const verified = this.#tokens.get(token);
    if (!verified) return undefined;
    this.#tokens.delete(token);
    if (this.hasEnded(verified)) return undefined;
    this.#tokens.set(token, verified);
    return verified;
  }

  add(token: string, verified: VerifiedToken): void {
    this.#tokens.delete(token);
    this.#tokens.set(token, verified);
    if (this.#tokens.size > this.capacity) {
      const [leastRecentlyUsed] = this.#tokens.keys();
      this.#tokens.delete(leastRecentlyUsed!);
    }
  }
}
