import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { decodeProtectedHeader, type JWTHeaderParameters, type JWTPayload, jwtVerify } from 'jose';
import type { KeyRing } from './key-ring.js';
import { MAX_TOKEN_LENGTH } from './token-claims.js';
import { curable, invalid, refusalOf } from './token-refusal.js';
import { readClaims, type VerifiedToken } from './verified-token.js';
import { VerifiedTokenCache } from './verified-token-cache.js';
import {
  keyRingsOf,
  type OwnVerificationOptions,
  ownVerificationOf,
  type SignedTokenOptions,
  type TokenVerifierOptions,
  toleranceOf,
} from './verifier-options.js';

const CACHED_TOKENS = 10_000;

/**
 * Tells genuine access tokens from others.
 *
 * Accepts signed tokens with an expiry alone, and an algorithm only with a key of its kind, whatever the token's
 * header asks for.
 *
 * @example
 * ```ts
 * const verifier = new TokenVerifier({ secret: process.env.TOKEN_SECRET });
 * const { userId, libraryId } = await verifier.verify(token);
 * ```
 */
export class TokenVerifier {
  /** For this long after `expiresAt` a token is still accepted, and its sockets stay open. */
  readonly clockToleranceMs: number;
  readonly #now: () => number;
  readonly #verifyToken: OwnVerificationOptions['verifyToken'] | undefined;
  readonly #rings: readonly KeyRing[];
  readonly #asked: Pick<SignedTokenOptions, 'issuer' | 'audience'>;
  readonly #verified: VerifiedTokenCache;

  /**
   * @throws {VerdantError} Configuration (5010) where nothing is given to verify with, a secret is shorter than 16
   *   bytes, a key is not public or of a kind that is not accepted, or another option is wrong.
   */
  constructor(options: TokenVerifierOptions) {
    this.clockToleranceMs = toleranceOf(options);
    this.#now = options.now ?? Date.now;
    this.#verifyToken = ownVerificationOf(options);
    const signed = this.#verifyToken ? {} : (options as SignedTokenOptions);
    this.#rings = this.#verifyToken ? [] : keyRingsOf(signed);
    this.#asked = {
      ...(signed.issuer !== undefined && { issuer: signed.issuer }),
      ...(signed.audience !== undefined && { audience: signed.audience }),
    };
    this.#verified = new VerifiedTokenCache(CACHED_TOKENS, this.#now);
  }

  /** What a token says that was verified before and is still good; undefined: it has to be verified. */
  known(token: string | undefined): VerifiedToken | undefined {
    return token === undefined ? undefined : this.#verified.get(token);
  }

  /**
   * Checks a token's signature, time and claims.
   *
   * @throws {VerdantError} What a fresh token may cure is TokenExpired (4012), on which the client fetches one: the
   *   token has ended, is not valid yet, or was signed with a key that is not known. What no fresh token of ours would
   *   cure is InvalidToken (4011): it is malformed, longer than 8192 characters, of another algorithm, issuer or
   *   audience, or its claims are missing or of the wrong type. No token at all is NoToken (4010). Busy (5030): the identity
   *   provider cannot be reached. What the app's own verification throws, other than a refusal, is thrown as it is.
   */
  async verify(token: string | undefined): Promise<VerifiedToken> {
    if (!token) throw new VerdantError(VerdantErrorCode.NoToken, 'No access token was sent.');
    // Before any other work: decoding and hashing are paid for by the byte.
    if (token.length > MAX_TOKEN_LENGTH) throw invalid(`it is longer than ${MAX_TOKEN_LENGTH} characters`);
    return this.#verifyToken ? this.#askApp(this.#verifyToken, token) : this.#verifySigned(token);
  }

  async #verifySigned(token: string): Promise<VerifiedToken> {
    const known = this.#verified.get(token);
    if (known) return known;
    const header = readHeader(token);
    const ring = this.#rings.find(({ algorithms }) => algorithms.includes(header.alg));
    if (!ring) throw invalid('it is malformed or of a kind that is not accepted');
    const verified = readClaims(await this.#checkSignatureAndTime(token, header, ring));
    const end = verified.expiresAt + this.clockToleranceMs;
    this.#verified.add(token, verified, Math.min(end, ring.goodUntil()));
    return verified;
  }

  async #checkSignatureAndTime(
    token: string,
    header: JWTHeaderParameters,
    ring: KeyRing,
  ): Promise<JWTPayload> {
    const options = {
      algorithms: [...ring.algorithms],
      requiredClaims: ['exp'],
      clockTolerance: this.clockToleranceMs / 1000,
      currentDate: new Date(this.#now()),
      ...(ring.isForeign && this.#asked),
    };
    let mismatch: unknown;
    for (const key of await ring.find(header)) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (error) {
        if (!isMismatch(error)) throw refusalOf(error);
        mismatch = error;
      }
    }
    if (token.endsWith('.')) throw invalid('it has no signature');
    throw curable('Its signature matches none of the keys; they may have been replaced', mismatch);
  }

  async #askApp(verifyToken: OwnVerificationOptions['verifyToken'], token: string): Promise<VerifiedToken> {
    let claims: unknown;
    try {
      claims = await verifyToken(token);
    } catch (error) {
      throw refusalOf(error);
    }
    if (typeof claims !== 'object' || claims === null) {
      throw new TypeError('verifyToken must resolve to the claims of the token, or throw a VerdantError.');
    }
    const verified = readClaims(claims as Record<string, unknown>);
    if (verified.expiresAt + this.clockToleranceMs <= this.#now()) throw curable('It has ended');
    return verified;
  }
}

const readHeader = (token: string): JWTHeaderParameters => {
  try {
    const header = decodeProtectedHeader(token);
    if (typeof header.alg === 'string') return header as JWTHeaderParameters;
  } catch (error) {
    throw invalid('it is malformed', error);
  }
  throw invalid('it names no algorithm');
};

const isMismatch = (error: unknown): boolean =>
  (error as { code?: unknown }).code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED';
