import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { type TokenLog, warn } from './token-log.js';

/** A secret that tokens name by its id, in their header's `kid`. */
export interface NamedSecret {
  /** No secret itself: it is sent with every token. 1 to 200 characters. */
  id: string;
  /** As {@link TokenSecrets} without an id. `undefined`, which an unset environment variable gives, is refused at start. */
  secret: string | undefined;
}

/**
 * What HS256 tokens are signed with, 32 bytes or more each, at least 16. Several while one replaces another, in
 * any order.
 */
export type TokenSecrets = string | NamedSecret | readonly (string | NamedSecret)[];

/** Below this a secret can be guessed offline from a single token that leaked. */
const MINIMUM_BYTES = 16;
/** What RFC 7518 (3.2) asks of an HS256 key: as long as the hash. */
const RECOMMENDED_BYTES = 32;
const MAX_KEY_ID_LENGTH = 200;
const ADVICE =
  'Make one with `openssl rand -base64 48`, keep it out of the code, and give the same one to TokenProvider ' +
  'and to the server (often as the environment variable TOKEN_SECRET).';

/** A secret that was checked. */
export interface CheckedSecret {
  readonly id?: string;
  readonly secret: string;
}

/**
 * Checks the secrets that sign access tokens, at start, where the mistake can still be seen, rather than at the first sync.
 *
 * @param log Is told of secrets shorter than 32 bytes. Without it nothing is said.
 * @returns The secrets, in the order given; at least one.
 * @throws {VerdantError} Configuration (5010) where there is none, one has fewer than 16 bytes in UTF-8, or two have
 *   the same id.
 */
export const checkTokenSecret = (
  secrets: TokenSecrets | undefined,
  log?: TokenLog,
): readonly [CheckedSecret, ...CheckedSecret[]] => {
  const given: readonly unknown[] = Array.isArray(secrets) ? secrets : secrets === undefined ? [] : [secrets];
  const [first, ...others] = given.map(checkOne);
  if (first === undefined) throw configurationError('The token secret is missing.');
  const checked = [first, ...others] as const;

  const ids = checked.flatMap(({ id }) => (id === undefined ? [] : [id]));
  if (new Set(ids).size < ids.length) {
    throw configurationError(
      'Two token secrets have the same id, so that a token could not say which is meant.',
    );
  }
  if (log && checked.some(({ secret }) => byteLength(secret) < RECOMMENDED_BYTES)) {
    warn(log, `The token secret is shorter than ${RECOMMENDED_BYTES} bytes, which HS256 asks for. ${ADVICE}`);
  }
  return checked;
};

/** @throws {VerdantError} Configuration (5010) where it is no string of 1 to 200 characters. */
export const checkKeyId = (id: unknown): string => {
  if (typeof id === 'string' && id.length > 0 && id.length <= MAX_KEY_ID_LENGTH) return id;
  throw configurationError(
    `The id of a token secret must be a string of 1 to ${MAX_KEY_ID_LENGTH} characters, such as '2026-01'.`,
  );
};

const checkOne = (given: unknown): CheckedSecret => {
  const isNamed = typeof given === 'object' && given !== null;
  const { id, secret } = isNamed ? (given as Partial<NamedSecret>) : { id: undefined, secret: given };
  if (secret === undefined) throw configurationError('The token secret is missing.');
  if (typeof secret !== 'string') throw configurationError('The token secret must be a string.');
  if (byteLength(secret) < MINIMUM_BYTES) {
    throw configurationError(`The token secret is too short: ${MINIMUM_BYTES} bytes at least.`);
  }
  return isNamed ? { id: checkKeyId(id), secret } : { secret };
};

const byteLength = (secret: string): number => new TextEncoder().encode(secret).byteLength;

const configurationError = (problem: string) =>
  new VerdantError(VerdantErrorCode.Configuration, `${problem} ${ADVICE}`);
