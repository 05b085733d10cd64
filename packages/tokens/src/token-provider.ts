import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { isReplicaType, type LibraryId, ReplicaType, type UserId } from '@verdant-web/protocol';
import { base64url } from 'jose';
import { MAX_ID_LENGTH, MAX_TOKEN_LENGTH, type TokenClaims } from './token-claims.js';
import { lifetimeInSeconds } from './token-lifetime.js';
import type { TokenLog } from './token-log.js';
import { checkKeyId, checkTokenSecret } from './token-secret.js';

/** How to make a {@link TokenProvider}. */
export interface TokenProviderOptions {
  /**
   * The secret shared with the server, 32 bytes or more. `undefined`, which an unset environment variable gives,
   * throws when the provider is made. While a secret is being replaced, the provider signs with the new one and the
   * server accepts both.
   */
  secret: string | undefined;
  /**
   * The id of the secret, put into each token's header as `kid`: a server that knows several tries this one alone.
   * 1 to 200 characters. Default: none.
   */
  keyId?: string;
  /** Is told, once for each provider, of a secret shorter than 32 bytes. Default: `console.warn`. */
  log?: TokenLog;
}

/** What a token is to say. */
export interface TokenRequest {
  /** The user, as your app knows them: 1 to 1024 characters. */
  userId: string;
  /** The library that they may sync: 1 to 1024 characters. Check before that this user may. */
  libraryId: string;
  /** Absolute http(s) URL where the sync router is mounted, as the client reaches it. */
  syncEndpoint: string;
  /** Absolute http(s) URL of the file endpoint. Default: the client appends `/files` to `syncEndpoint`. */
  fileEndpoint?: string;
  /** The app's own word for what this user is in this library. */
  role?: string;
  /** What this replica may do. Default: `ReplicaType.Realtime`. */
  type?: ReplicaType;
  /**
   * How long the token is good for: whole seconds as a number, or like `'15m'`, `'1h'`, `'1d'`, `'2w'`.
   * Default: `'1d'`. Clients of the 3.x line cannot refresh a token before a reload: give them long ones.
   */
  expiresIn?: number | string;
}

/**
 * Issues the access tokens that let a client sync one library. Lives in your app's own auth endpoint.
 *
 * @example
 * ```ts
 * const tokens = new TokenProvider({ secret: process.env.TOKEN_SECRET });
 *
 * app.get('/auth/:libraryId', async (ctx) => {
 *   const libraryId = ctx.req.param('libraryId');
 *   const userId = await requireMember(ctx, libraryId); // your own sessions and access rules
 *   const accessToken = tokens.getToken({ userId, libraryId, syncEndpoint: 'https://example.com/verdant' });
 *   return ctx.json({ accessToken });
 * });
 * ```
 */
export class TokenProvider {
  readonly #key: Uint8Array;
  readonly #header: string;

  /**
   * @throws {VerdantError} Configuration (5010) where the secret is missing or shorter than 16 bytes, or `keyId` is no
   *   usable string.
   */
  constructor({ secret, keyId, log = warnOnConsole }: TokenProviderOptions) {
    this.#key = encode(checkTokenSecret(secret, log)[0].secret);
    const kid = keyId === undefined ? undefined : checkKeyId(keyId);
    this.#header = encodePart({ alg: 'HS256', typ: 'JWT', kid });
  }

  /**
   * Signs a token (HS256). Synchronous: no promise to await, no key to load.
   *
   * @throws {TypeError} An input is missing or malformed; the message names it.
   */
  getToken(request: TokenRequest): string {
    const signed = `${this.#header}.${encodePart(claimsOf(request))}`;
    const token = `${signed}.${base64url.encode(hmac(sha256, this.#key, encode(signed)))}`;
    if (token.length > MAX_TOKEN_LENGTH) {
      throw new TypeError(`The token has ${token.length} characters, over the limit of ${MAX_TOKEN_LENGTH}.`);
    }
    return token;
  }
}

const claimsOf = ({
  userId,
  libraryId,
  syncEndpoint,
  fileEndpoint,
  role,
  type = ReplicaType.Realtime,
  expiresIn = '1d',
}: TokenRequest): TokenClaims => {
  requireId('userId', userId);
  requireId('libraryId', libraryId);
  requireEndpoint('syncEndpoint', syncEndpoint);
  if (fileEndpoint !== undefined) requireEndpoint('fileEndpoint', fileEndpoint);
  if (role !== undefined && typeof role !== 'string') throw new TypeError('role must be a string.');
  if (!isReplicaType(type)) throw new TypeError('type must be one of ReplicaType, a number from 0 to 5.');

  const now = Date.now();
  return {
    sub: userId as UserId,
    lib: libraryId as LibraryId,
    url: syncEndpoint,
    ...(fileEndpoint !== undefined && { file: fileEndpoint }),
    type,
    ...(role !== undefined && { role }),
    // To the millisecond: a token that is fetched right after a revocation must not count as issued before it.
    iat: now / 1000,
    exp: Math.floor(now / 1000) + lifetimeInSeconds(expiresIn),
  };
};

const requireId = (name: string, value: unknown) => {
  if (typeof value !== 'string' || value.length === 0 || value.length > MAX_ID_LENGTH) {
    throw new TypeError(`${name} must be a string of 1 to ${MAX_ID_LENGTH} characters.`);
  }
};

const requireEndpoint = (name: string, value: unknown) => {
  if (typeof value !== 'string' || !/^https?:\/\//i.test(value) || !URL.canParse(value)) {
    throw new TypeError(`${name} must be an absolute http(s) URL, as in https://example.com/verdant.`);
  }
};

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const encodePart = (part: object): string => base64url.encode(JSON.stringify(part));

const warnOnConsole: TokenLog = (_level, message) => console.warn(message);
