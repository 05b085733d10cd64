import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/**
 * Receives warnings of this package: a function, or a structured logger such as pino. What a server takes as its `log`
 * fits. Never given a secret or a token.
 */
export type TokenLog =
  | ((level: 'warn', message: string, fields: Readonly<Record<string, unknown>>) => void)
  | { warn(fields: Readonly<Record<string, unknown>>, message: string): void };

/** Below this a secret can be guessed offline from a single token that leaked. */
const MINIMUM_BYTES = 16;
/** What RFC 7518 (3.2) asks of an HS256 key: as long as the hash. */
const RECOMMENDED_BYTES = 32;
const ADVICE =
  'Make one with `openssl rand -base64 48`, keep it out of the code, and give the same one to TokenProvider ' +
  'and to the server (often as the environment variable TOKEN_SECRET).';

/**
 * Checks the secret that signs access tokens, at start, where the mistake can still be seen, rather than at the first sync.
 *
 * @param secret One secret, or several while one is being replaced; `undefined`, which an unset environment
 *   variable gives, is refused.
 * @param log Is told of secrets shorter than 32 bytes. Without it nothing is said.
 * @returns The secrets, in the order given; at least one.
 * @throws {VerdantError} Configuration (5010) where there is none, or one has fewer than 16 bytes in UTF-8.
 */
export const checkTokenSecret = (
  secret: string | readonly string[] | undefined,
  log?: TokenLog,
): readonly [string, ...string[]] => {
  const given: readonly string[] = Array.isArray(secret)
    ? secret
    : secret === undefined
      ? []
      : [secret as string];
  const [first, ...others] = given;
  if (first === undefined) throw configurationError('The token secret is missing.');
  const secrets = [first, ...others] as const;

  const sizes = secrets.map(byteLength);
  if (sizes.some((size) => size < MINIMUM_BYTES)) {
    throw configurationError(`The token secret is too short: ${MINIMUM_BYTES} bytes at least.`);
  }
  if (log && sizes.some((size) => size < RECOMMENDED_BYTES)) {
    const message = `The token secret is shorter than ${RECOMMENDED_BYTES} bytes, which HS256 asks for. ${ADVICE}`;
    if (typeof log === 'function') log('warn', message, {});
    else log.warn({}, message);
  }
  return secrets;
};

const byteLength = (secret: unknown): number => {
  if (typeof secret !== 'string') throw configurationError('The token secret must be a string.');
  return new TextEncoder().encode(secret).byteLength;
};

const configurationError = (problem: string) =>
  new VerdantError(VerdantErrorCode.Configuration, `${problem} ${ADVICE}`);
