import type { LibraryId, UserId } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import type { RevocationRow } from './storage/rows.js';
import type { Storage } from './storage/storage.js';

/** Which access tokens are not to be accepted any more. Of `userId` and `libraryId` at least one is given. */
export interface Revocation {
  /** Tokens of this user. Default: of every user. */
  userId?: string;
  /** Tokens for this library. Default: for every library. */
  libraryId?: string;
  /**
   * Those issued before this, as a `Date` or in milliseconds of Unix time. Default: now. A token says when it was issued
   * (`iat`): those of `TokenProvider` to the millisecond, those of most identity providers to the second, where one of the
   * same second counts as issued before. So does one that does not say.
   */
  issuedBefore?: Date | number;
}

/** What was revoked: in the storage, and all of it in memory, where each token is checked against it. */
export class Revocations {
  readonly #storage: Pick<Storage, 'readRevocations' | 'putRevocation'>;
  /** The latest `issuedBefore` by user and library. */
  readonly #known = new Map<string, number>();
  #loading: Promise<void> | undefined;
  /** Whether what was revoked by earlier processes is known. */
  isLoaded = false;

  constructor(storage: Pick<Storage, 'readRevocations' | 'putRevocation'>) {
    this.#storage = storage;
  }

  /** Resolves when what was revoked by earlier processes is known. Where that fails, the next call tries again. */
  load(): Promise<void> {
    this.#loading ??= this.#read().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  isRevoked({ userId, libraryId, issuedAt = Number.NEGATIVE_INFINITY }: VerifiedToken): boolean {
    if (this.#known.size === 0) return false;
    return [keyOf(userId, null), keyOf(null, libraryId), keyOf(userId, libraryId)].some(
      (key) => issuedAt < (this.#known.get(key) ?? Number.NEGATIVE_INFINITY),
    );
  }

  /** Refuses from now on, before it is written: where the storage fails, it still holds while this process lives. */
  add(row: RevocationRow): Promise<void> {
    this.#remember(row);
    return this.#storage.putRevocation(row);
  }

  async #read(): Promise<void> {
    for (const row of await this.#storage.readRevocations()) this.#remember(row);
    this.isLoaded = true;
  }

  #remember({ userId, libraryId, issuedBefore }: RevocationRow): void {
    const key = keyOf(userId, libraryId);
    this.#known.set(key, Math.max(issuedBefore, this.#known.get(key) ?? issuedBefore));
  }
}

/** The revocation as it is kept. Throws a `TypeError` that names what is wrong with it. */
export const revocationRow = (revocation: Revocation, now: number): RevocationRow => {
  // Of two things in one millisecond nobody knows which came first.
  const { userId, libraryId, issuedBefore = now + 1 } = revocation ?? {};
  if (userId === undefined && libraryId === undefined) {
    throw new TypeError(
      'revoke: name a userId, a libraryId or both. To revoke every token, replace the token secret instead.',
    );
  }
  return {
    userId: idOf('userId', userId) as UserId | null,
    libraryId: idOf('libraryId', libraryId) as LibraryId | null,
    issuedBefore: timeOf(issuedBefore),
  };
};

const idOf = (name: string, id: unknown): string | null => {
  if (id === undefined) return null;
  if (typeof id === 'string' && id !== '') return id;
  throw new TypeError(`revoke: ${name} has to be a string with something in it, or left out.`);
};

/** A time in seconds would lie in 1970, and revoke nothing. */
const EARLIEST = Date.UTC(1973, 0, 1);

const timeOf = (time: unknown): number => {
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= EARLIEST) return Math.ceil(ms);
  throw new TypeError(
    'revoke: issuedBefore has to be a Date, or a time in milliseconds as Date.now() gives it (not in seconds).',
  );
};

const keyOf = (userId: string | null, libraryId: string | null): string =>
  JSON.stringify([userId, libraryId]);
