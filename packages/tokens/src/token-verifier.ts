import {
  isReplicaType,
  type LibraryId,
  ReplicaType,
  type UserId,
  VerdantError,
  VerdantErrorCode,
} from '@verdant-web/protocol';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { MAX_ID_LENGTH, MAX_TOKEN_LENGTH } from './token-claims.js';
import { checkTokenSecret } from './token-secret.js';
import { VerifiedTokenCache } from './verified-token-cache.js';

/** How to make a {@link TokenVerifier}. */
export interface TokenVerifierOptions {
  /**
   * The secret that `TokenProvider` signs with. Several while one is being replaced: a token signed with any of them is
   * accepted. Drop the old one when its last token has ended.
   */
  secret: string | readonly string[] | undefined;
  /** How far the clocks of issuer and server may differ, in seconds. Default: 5. */
  clockToleranceSeconds?: number;
  /** The time, in milliseconds of Unix time. Default: `Date.now`. */
  now?: () => number;
}

/** What a genuine token says. Frozen: one object may be handed out for many requests. */
export interface VerifiedToken {
  readonly userId: UserId;
  readonly libraryId: LibraryId;
  readonly syncEndpoint: string;
  /** The token's own file endpoint, or the sync endpoint with `/files` appended. */
  readonly fileEndpoint: string;
  readonly type: ReplicaType;
  /** The app's own word for what this user is in this library. */
  readonly role: string | undefined;
  /** When the token ends, in milliseconds of Unix time. It is accepted for `clockToleranceMs` longer. */
  readonly expiresAt: number;
  /** When the token was issued, in milliseconds of Unix time; absent where it does not say. */
  readonly issuedAt?: number;
}

const CACHED_TOKENS = 10_000;

/**
 * Tells genuine access tokens from others.
 *
 * Accepts HS256 alone, with an expiry, whatever else the token's header asks for.
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
  readonly #secrets: readonly string[];
  readonly #now: () => number;
  readonly #verified: VerifiedTokenCache;
  #keys: Promise<CryptoKey[]> | undefined;

  /**
   * @throws {VerdantError} Configuration (5010) where no secret is given, one is shorter than 16 bytes, or the
   *   tolerance is not a number from 0.
   */
  constructor({ secret, clockToleranceSeconds = 5, now = Date.now }: TokenVerifierOptions) {
    if (!Number.isFinite(clockToleranceSeconds) || clockToleranceSeconds < 0) {
      throw new VerdantError(
        VerdantErrorCode.Configuration,
        'clockToleranceSeconds must be a number from 0.',
      );
    }
    this.#secrets = checkTokenSecret(secret);
    this.#now = now;
    this.clockToleranceMs = clockToleranceSeconds * 1000;
    this.#verified = new VerifiedTokenCache(
      CACHED_TOKENS,
      ({ expiresAt }) => expiresAt + this.clockToleranceMs <= this.#now(),
    );
  }

  /**
   * Checks a token's signature, time and claims.
   *
   * @throws {VerdantError} What a fresh token may cure is TokenExpired (4012), on which the client fetches one: the
   *   token has ended, is not valid yet, or was signed with another secret. What no fresh token of ours would cure is
   *   InvalidToken (4011): it is malformed, longer than 8192 characters, of another algorithm, or its claims are
   *   missing or of the wrong type. No token at all is NoToken (4010).
   */
  async verify(token: string | undefined): Promise<VerifiedToken> {
    if (!token) throw new VerdantError(VerdantErrorCode.NoToken, 'No access token was sent.');
    // Before any other work: decoding and hashing are paid for by the byte.
    if (token.length > MAX_TOKEN_LENGTH) throw invalid(`it is longer than ${MAX_TOKEN_LENGTH} characters`);

    const known = this.#verified.get(token);
    if (known) return known;

    const verified = readClaims(await this.#checkSignatureAndTime(token));
    this.#verified.add(token, verified);
    return verified;
  }

  async #checkSignatureAndTime(token: string): Promise<JWTPayload> {
    const options = {
      algorithms: ['HS256'],
      requiredClaims: ['exp'],
      clockTolerance: this.clockToleranceMs / 1000,
      currentDate: new Date(this.#now()),
    };
    let mismatch: unknown;
    for (const key of await this.#loadKeys()) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw refusalOf(error);
        mismatch = error;
      }
    }
    if (token.endsWith('.')) throw invalid('it has no signature');
    throw curable('Its signature does not match; the secret may have been replaced', mismatch);
  }

  /** Imported once: verifying with a `CryptoKey` is half as fast again as with the raw bytes. */
  #loadKeys(): Promise<CryptoKey[]> {
    this.#keys ??= Promise.all(
      this.#secrets.map((secret) =>
        crypto.subtle.importKey(
          'raw',
          new TextEncoder().encode(secret),
          { name: 'HMAC', hash: 'SHA-256' },
          false,
          ['verify'],
        ),
      ),
    );
    return this.#keys;
  }
}

const readClaims = ({ sub, lib, url, file, type, role, exp, iat }: JWTPayload): VerifiedToken => {
  if (!isId(sub)) throw invalid('its claim "sub" (the user) is missing or no usable string');
  if (!isId(lib)) throw invalid('its claim "lib" (the library) is missing or no usable string');
  if (!isNonEmptyString(url)) throw invalid('its claim "url" (the sync endpoint) is missing or no string');
  if (file !== undefined && !isNonEmptyString(file)) throw invalid('its claim "file" is no string');
  if (role !== undefined && typeof role !== 'string') throw invalid('its claim "role" is no string');
  // JSON has numbers, as 1e999, that read as infinite: such a token would never end.
  if (!Number.isFinite(exp)) throw invalid('its claim "exp" is no finite number');
  return Object.freeze({
    userId: sub as UserId,
    libraryId: lib as LibraryId,
    syncEndpoint: url,
    fileEndpoint: file ?? `${url.replace(/\/+$/, '')}/files`,
    type: readReplicaType(type),
    role,
    expiresAt: exp! * 1000,
    ...(iat !== undefined && { issuedAt: iat * 1000 }),
  });
};

/** Tokens made from a query string carry the number as text. Only a number leaves here, for others compare with `===`. */
const readReplicaType = (claim: unknown): ReplicaType => {
  if (claim === undefined) return ReplicaType.Realtime;
  const type = typeof claim === 'string' && /^\d$/.test(claim) ? Number(claim) : claim;
  if (!isReplicaType(type)) throw invalid('its claim "type" is no replica type');
  return type;
};

const isId = (value: unknown): value is string => isNonEmptyString(value) && value.length <= MAX_ID_LENGTH;

const isNonEmptyString = (value: unknown): value is string => typeof value === 'string' && value.length > 0;

const refusalOf = (error: unknown): unknown => {
  if (error instanceof errors.JWTExpired) return curable('It has ended', error);
  if (
    error instanceof errors.JWTClaimValidationFailed &&
    error.claim === 'nbf' &&
    error.reason === 'check_failed'
  ) {
    return curable('It is not valid yet', error);
  }
  // Not the token's fault: passed on as it is.
  return error instanceof errors.JOSEError
    ? invalid('it is malformed or of a kind that is not accepted', error)
    : error;
};

const curable = (reason: string, cause: unknown) =>
  new VerdantError(
    VerdantErrorCode.TokenExpired,
    `This access token is not good any more. ${reason}. Fetch a fresh one.`,
    {
      cause,
    },
  );

const invalid = (reason: string, cause?: unknown) =>
  new VerdantError(VerdantErrorCode.InvalidToken, `This is no access token of this server: ${reason}.`, {
    cause,
  });
