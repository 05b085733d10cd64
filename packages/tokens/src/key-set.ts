import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from 'jose';
import { type KeyRing, PUBLIC_KEY_ALGORITHMS } from './key-ring.js';

const MINIMUM_RSA_BYTES = 256;

/**
 * Public keys that are given with the configuration, as a JWK set.
 *
 * @throws {VerdantError} Configuration (5010) where one is not public, is of a kind that is not accepted, or is no key.
 */
export const keySet = (set: JSONWebKeySet): KeyRing => {
  const find = createLocalJWKSet({ keys: checkKeys(set) });
  return {
    algorithms: PUBLIC_KEY_ALGORITHMS,
    isForeign: true,
    find: (header) => findIn(find, header),
    goodUntil: () => Number.POSITIVE_INFINITY,
  };
};

/** The keys of a set of jose's that may have signed a token with this header. */
export const findIn = async (
  find: (header: JWTHeaderParameters) => Promise<CryptoKey>,
  header: JWTHeaderParameters,
): Promise<CryptoKey[]> => {
  try {
    return [await find(header)];
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return [];
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    const keys: CryptoKey[] = [];
    for await (const key of error) keys.push(key);
    return keys;
  }
};

const checkKeys = (set: JSONWebKeySet): JSONWebKeySet['keys'] => {
  if (!Array.isArray(set?.keys)) throw wrong('it has no list "keys"');
  // What an identity provider publishes may hold keys that encrypt, too.
  const keys = set.keys.filter((key: Key | null) => key?.use !== 'enc');
  if (keys.length === 0) throw wrong('it has no key that signs');
  for (const [index, key] of keys.entries()) {
    const problem = problemOf(key);
    if (problem) throw wrong(`key ${index + 1} ${problem}`);
  }
  const ids = keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid]));
  if (new Set(ids).size < ids.length) throw wrong('two keys have the same "kid"');
  return keys;
};

type Key = JSONWebKeySet['keys'][number];

/** For each kind of key: the algorithms it may have, and what is wrong with its numbers. */
const KINDS: Readonly<
  Record<string, { algorithms: readonly string[]; problem: (key: Key) => string | null }>
> = {
  OKP: {
    algorithms: ['EdDSA', 'Ed25519'],
    problem: ({ crv, x }) =>
      crv === 'Ed25519' && bytesOf(x) === 32
        ? null
        : 'is no Ed25519 key, the one kind of OKP that is accepted',
  },
  EC: {
    algorithms: ['ES256'],
    problem: ({ crv, x, y }) =>
      crv === 'P-256' && bytesOf(x) === 32 && bytesOf(y) === 32
        ? null
        : 'is no P-256 key, the one kind of EC that is accepted',
  },
  RSA: {
    algorithms: ['RS256'],
    problem: ({ n, e }) =>
      bytesOf(n) >= MINIMUM_RSA_BYTES && bytesOf(e) > 0 ? null : 'is no RSA key of 2048 bits or more',
  },
};

const problemOf = (key: Key): string | null => {
  if (typeof key !== 'object' || key === null) return 'is no object';
  if (key.kty === 'oct') return 'is a shared secret: give it as the option secret';
  if ('d' in key) return 'is private: only its public half belongs here, without "d"';
  const kind = Object.hasOwn(KINDS, key.kty ?? '') ? KINDS[key.kty!] : undefined;
  if (!kind)
    return `is of the kind ${JSON.stringify(key.kty)}; OKP (Ed25519), EC (P-256) and RSA are accepted`;
  if (key.alg !== undefined && !kind.algorithms.includes(key.alg)) {
    return `is for ${JSON.stringify(key.alg)}; ${kind.algorithms.join(' or ')} is accepted of its kind`;
  }
  return kind.problem(key);
};

/** How many bytes a number of a key has, without zeros at its start; NaN where it is no base64url. */
const bytesOf = (text: unknown): number =>
  typeof text === 'string' && /^[\w-]+$/.test(text)
    ? Math.floor((text.length * 3) / 4) - zerosAtStart(text)
    : Number.NaN;

const zerosAtStart = (text: string): number => Math.floor((/^A*/.exec(text)![0].length * 3) / 4);

const wrong = (problem: string) =>
  new VerdantError(
    VerdantErrorCode.Configuration,
    `keys must be a JWK set with public keys, as an identity provider publishes it: { keys: [{ kty: … }, …] }; ${problem}.`,
  );
