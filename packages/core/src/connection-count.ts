import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import type { Limits } from './limits.js';

/** Counts sockets of each library, and of each user in it, against the limits. */
export class ConnectionCount {
  readonly #limits: Limits;
  readonly #counts = new Map<string, number>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** A socket comes in. Returns what to call when it is gone. Throws `VerdantError` (5030) over a limit. */
  enter({ libraryId, userId }: VerifiedToken): () => void {
    const library = JSON.stringify([libraryId]);
    const user = JSON.stringify([libraryId, userId]);
    const { maxConnectionsPerLibrary, maxConnectionsPerUser } = this.#limits;
    if (this.#of(library) >= maxConnectionsPerLibrary)
      throw tooMany('this library', maxConnectionsPerLibrary);
    if (this.#of(user) >= maxConnectionsPerUser)
      throw tooMany('this user in this library', maxConnectionsPerUser);
    this.#add(library, 1);
    this.#add(user, 1);
    return () => {
      this.#add(library, -1);
      this.#add(user, -1);
    };
  }

  #of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #add(key: string, change: number): void {
    const count = this.#of(key) + change;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}

const tooMany = (what: string, limit: number): VerdantError =>
  new VerdantError(
    VerdantErrorCode.Busy,
    `There are ${limit} sockets of ${what} already, which is the limit.`,
    {
      retryAfter: 30,
    },
  );
