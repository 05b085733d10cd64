import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { JSONWebKeySet } from 'jose';
import type { KeyRing } from './key-ring.js';
import { keySet } from './key-set.js';
import { RemoteKeySet } from './remote-key-set.js';
import { SecretKeys } from './secret-keys.js';
import type { AccessClaims } from './token-claims.js';
import type { TokenLog } from './token-log.js';
import { checkTokenSecret, type TokenSecrets } from './token-secret.js';

/** How to make a `TokenVerifier`: either it verifies signatures, or the app does. */
export type TokenVerifierOptions = SignedTokenOptions | OwnVerificationOptions;

/**
 * Tokens that are signed with a secret (HS256), or with the private half of a public key (EdDSA with Ed25519, ES256,
 * RS256). Of `secret`, `keys` and `jwksUrl` at least one is given, and not both of the last two. An algorithm is accepted
 * only with the kind of key that it is for.
 */
export interface SignedTokenOptions extends VerifierOptions {
  /** What `TokenProvider` signs with. Drop a secret that was replaced when its last token has ended. */
  secret?: TokenSecrets | undefined;
  /** Public keys of whoever signs, as a JWK set. Those with a `kid` verify tokens that name it, or no key at all. */
  keys?: JSONWebKeySet;
  /**
   * Where an identity provider publishes its JWK set, as in `https://id.example.com/.well-known/jwks.json`. Fetched when
   * the first token comes, again every ten minutes, and for a key id that is not known, at most every ten seconds. While
   * it cannot be reached, known keys serve on for a day, and what they do not do for is refused as Busy (5030).
   */
  jwksUrl?: string | URL;
  /** What tokens of `keys` or `jwksUrl` must have as `iss`, or one of them. Default: anything. */
  issuer?: string | string[];
  /** What tokens of `keys` or `jwksUrl` must have as `aud`, or one of them. Default: anything. */
  audience?: string | string[];
}

/** The app verifies tokens. */
export interface OwnVerificationOptions extends VerifierOptions {
  /**
   * Resolves to what the token says, when it is genuine. Asked for each request and each socket: keep what may be kept.
   * An answer that takes over two seconds is given up by the server, as 503.
   *
   * To refuse the token, throw a `VerdantError`: `TokenExpired` where a fresh one may be accepted, `InvalidToken` where the
   * client is to stop, `Busy` where it is to come again. What jose throws is understood. Any other error is a
   * fault of the server (500), and clients try again.
   */
  verifyToken: (token: string) => Promise<AccessClaims> | AccessClaims;
}

interface VerifierOptions {
  /** How far the clocks of issuer and server may differ, in seconds. Default: 5. */
  clockToleranceSeconds?: number;
  /** The time, in milliseconds of Unix time. Default: `Date.now`. */
  now?: () => number;
  /** Is told of short secrets, and of an identity provider that cannot be reached. Default: nothing is said. */
  log?: TokenLog;
}

/** The tolerance in milliseconds. Throws a `VerdantError` (5010) where it is no number from 0. */
export const toleranceOf = ({ clockToleranceSeconds = 5 }: TokenVerifierOptions): number => {
  if (Number.isFinite(clockToleranceSeconds) && clockToleranceSeconds >= 0)
    return clockToleranceSeconds * 1000;
  throw wrong('clockToleranceSeconds must be a number from 0.');
};

/** The app's own verification, where that is what the options ask for. Throws a `VerdantError` (5010). */
export const ownVerificationOf = (
  options: TokenVerifierOptions,
): OwnVerificationOptions['verifyToken'] | undefined => {
  if (!('verifyToken' in options)) return undefined;
  if (typeof options.verifyToken !== 'function') {
    throw wrong('verifyToken must be a function that takes a token and resolves to its claims.');
  }
  const others = ['secret', 'keys', 'jwksUrl', 'issuer', 'audience'].filter((name) => name in options);
  if (others.length === 0) return options.verifyToken;
  throw wrong(`verifyToken replaces all other verification: leave out ${others.join(' and ')}.`);
};

/** The keys that the options name. Throws a `VerdantError` (5010) where they name none, or wrong ones. */
export const keyRingsOf = (options: SignedTokenOptions): readonly KeyRing[] => {
  const { keys, jwksUrl, issuer, audience, now = Date.now, log = () => {} } = options;
  const rings: KeyRing[] = [];
  if (keys !== undefined && jwksUrl !== undefined) {
    throw wrong('Give keys or jwksUrl, not both: a token says which key it needs, and not where that is.');
  }
  if (keys !== undefined) rings.push(keySet(keys));
  if (jwksUrl !== undefined) rings.push(new RemoteKeySet({ url: checkUrl(jwksUrl), now, log }));
  if (rings.length === 0 && (issuer !== undefined || audience !== undefined)) {
    throw wrong(
      'issuer and audience are asked of tokens of an identity provider: give keys or jwksUrl, too.',
    );
  }
  // Named, but undefined, it is an environment variable that is not set.
  if ('secret' in options || rings.length === 0) {
    rings.push(new SecretKeys(checkTokenSecret(options.secret, log)));
  }
  return rings;
};

const checkUrl = (given: string | URL): URL => {
  if (URL.canParse(String(given))) {
    const url = new URL(String(given));
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  }
  throw wrong('jwksUrl must be an absolute URL, as in https://id.example.com/.well-known/jwks.json.');
};

const wrong = (problem: string) => new VerdantError(VerdantErrorCode.Configuration, problem);
