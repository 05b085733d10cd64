import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { createRemoteJWKSet, type JWTHeaderParameters } from 'jose';
import { type KeyRing, PUBLIC_KEY_ALGORITHMS } from './key-ring.js';
import { findIn } from './key-set.js';
import { type TokenLog, warn } from './token-log.js';
import { invalid } from './token-refusal.js';

/** A client whose poll takes over 3 s ends polling: better a 503 before that. */
const TIMEOUT_MS = 1_500;
/** Keys are fetched again when they are this old. */
const MAX_AGE_MS = 10 * 60_000;
/** While the provider cannot be reached, keys of up to this age serve on. */
const MAX_AGE_IN_NEED_MS = 24 * 3_600_000;
/** A key id that is not known makes them be fetched again, but no sooner than this: anybody can make one up. */
const COOLDOWN_MS = 10_000;
/** After a failure the next attempt waits this long. */
const RETRY_MS = 2_000;
/** What `retryAfter` says, in seconds. */
const RETRY_AFTER = 5;

/** What a {@link RemoteKeySet} works with. */
export interface RemoteKeySetOptions {
  url: URL;
  now: () => number;
  log: TokenLog;
}

/** Public keys that an identity provider publishes: fetched when the first token comes, and then now and then. */
export class RemoteKeySet implements KeyRing {
  readonly algorithms = PUBLIC_KEY_ALGORITHMS;
  readonly isForeign = true;
  readonly #options: RemoteKeySetOptions;
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(options: RemoteKeySetOptions) {
    this.#options = options;
    this.#keys = createRemoteJWKSet(options.url, {
      timeoutDuration: TIMEOUT_MS,
      // When to fetch is decided here: by jose's rules an outage would refuse tokens of keys that are known.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      cooldownDuration: Number.POSITIVE_INFINITY,
    });
  }

  /** @throws {VerdantError} Busy (5030) where the provider cannot be reached, and what is known does not do. */
  async find(header: JWTHeaderParameters): Promise<readonly CryptoKey[]> {
    if (this.#age >= MAX_AGE_MS) await this.#load(this.#age < MAX_AGE_IN_NEED_MS);
    const found = await findIn(this.#keys, header);
    if (found.length > 0 || this.#age < COOLDOWN_MS) return found.map(checkStrength);
    await this.#load(false);
    return (await findIn(this.#keys, header)).map(checkStrength);
  }

  goodUntil(): number {
    return this.#loadedAt + MAX_AGE_MS;
  }

  get #age(): number {
    return this.#options.now() - this.#loadedAt;
  }

  async #load(canDoWithout: boolean): Promise<void> {
    if (!this.#loading && this.#options.now() - this.#failedAt < RETRY_MS) {
      if (canDoWithout) return;
      throw unreachable();
    }
    this.#loading ??= this.#fetch();
    try {
      await this.#loading;
    } catch (cause) {
      if (!canDoWithout) throw unreachable(cause);
    }
  }

  async #fetch(): Promise<void> {
    const { url, now, log } = this.#options;
    try {
      await this.#keys.reload();
      this.#loadedAt = now();
    } catch (error) {
      this.#failedAt = now();
      warn(log, 'The keys of the identity provider could not be fetched.', {
        url: url.origin + url.pathname,
        err: error,
      });
      throw error;
    } finally {
      this.#loading = undefined;
    }
  }
}

const checkStrength = (key: CryptoKey): CryptoKey => {
  const { modulusLength } = key.algorithm as { modulusLength?: number };
  if (modulusLength === undefined || modulusLength >= 2048) return key;
  throw invalid(`it is signed with an RSA key of ${modulusLength} bits, and 2048 are asked for`);
};

const unreachable = (cause?: unknown) =>
  new VerdantError(
    VerdantErrorCode.Busy,
    'This access token cannot be checked now: the identity provider does not answer. Try again soon.',
    { cause, retryAfter: RETRY_AFTER },
  );
