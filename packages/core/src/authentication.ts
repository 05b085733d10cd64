import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { TokenVerifier, type TokenVerifierOptions, type VerifiedToken } from '@verdant-web/tokens';
import type { Log } from './log.js';
import type { Revocations } from './revocations.js';
import type { Scheduler } from './scheduler.js';
import type { VerdantOptions } from './verdant.js';

/** A client whose poll takes over 3 s ends polling: whoever verifies is not waited for longer than this. */
const PATIENCE_MS = 2_000;

/** What {@link Authentication} works with. */
export interface AuthenticationOptions {
  options: Pick<VerdantOptions, 'tokenSecret' | 'tokens'>;
  revocations: Revocations;
  scheduler: Scheduler;
  log: Log;
}

/** Decides whether a token is good: genuine, and not revoked. */
export class Authentication {
  readonly #verifier: TokenVerifier;
  readonly #revocations: Revocations;
  readonly #scheduler: Scheduler;
  readonly #log: Log;

  /** Throws a `VerdantError` (5010) where the options do not say how tokens are verified. */
  constructor({ options, revocations, scheduler, log }: AuthenticationOptions) {
    this.#verifier = new TokenVerifier({
      ...verifierOptions(options),
      now: () => scheduler.now(),
      log: (_level, message, fields) => log.warn?.(fields, message),
    });
    this.#revocations = revocations;
    this.#scheduler = scheduler;
    this.#log = log;
  }

  /** How long after its `exp` a token is still good, in ms. */
  get clockToleranceMs(): number {
    return this.#verifier.clockToleranceMs;
  }

  /** What the token says. Throws a `VerdantError` (4010, 4011, 4012, 5030). */
  async authenticate(token: string | undefined): Promise<VerifiedToken> {
    // Nearly always: an idle client polls with the same token for hours.
    const known = this.#revocations.isLoaded ? this.#verifier.known(token) : undefined;
    const verified = known ?? (await this.#verify(token));
    this.assertNotRevoked(verified);
    return verified;
  }

  /** Throws a `VerdantError` (4012) where the token was revoked, be it after it was verified. */
  assertNotRevoked(token: VerifiedToken): void {
    if (!this.#revocations.isRevoked(token)) return;
    throw new VerdantError(VerdantErrorCode.TokenExpired, REVOKED);
  }

  async #verify(token: string | undefined): Promise<VerifiedToken> {
    const [verified] = await this.#inTime(
      Promise.all([this.#verifier.verify(token), this.#revocations.load()]),
    );
    return verified;
  }

  #inTime<Result>(verification: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const cancel = this.#scheduler.after(PATIENCE_MS, () => {
        this.#log.warn?.({ ms: PATIENCE_MS }, 'An access token could not be verified in time.');
        reject(
          new VerdantError(
            VerdantErrorCode.Busy,
            'This access token cannot be checked now. Try again soon.',
            {
              retryAfter: 2,
            },
          ),
        );
      });
      verification.finally(cancel).then(resolve, reject);
    });
  }
}

/** What a socket is told whose token was revoked, and a request that comes with one. */
export const REVOKED = 'The access token was revoked. Fetch a fresh one and connect again.';

const verifierOptions = ({ tokenSecret, tokens }: AuthenticationOptions['options']): TokenVerifierOptions => {
  if (tokens === undefined) return { secret: tokenSecret };
  if (tokenSecret !== undefined) {
    throw new VerdantError(
      VerdantErrorCode.Configuration,
      "createVerdant: give 'tokenSecret' or 'tokens', not both. The latter takes the secret, too: tokens: { secret, … }.",
    );
  }
  if (typeof tokens === 'object' && tokens !== null) return tokens;
  throw new VerdantError(
    VerdantErrorCode.Configuration,
    "createVerdant: 'tokens' has to be an object that says how tokens are verified, such as { jwksUrl: 'https://…' }.",
  );
};
