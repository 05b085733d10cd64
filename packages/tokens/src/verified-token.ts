import { isReplicaType, type LibraryId, ReplicaType, type UserId } from '@verdant-web/protocol';
import { MAX_ID_LENGTH } from './token-claims.js';
import { invalid } from './token-refusal.js';

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

/**
 * Reads the claims of a token whose signature and time were checked.
 *
 * @throws {VerdantError} InvalidToken (4011) where one is missing or of a wrong type.
 */
export const readClaims = (claims: Readonly<Record<string, unknown>>): VerifiedToken => {
  const { sub, lib, url, file, type, role, exp, iat } = claims;
  if (!isId(sub)) throw invalid('its claim "sub" (the user) is missing or no usable string');
  if (!isId(lib)) throw invalid('its claim "lib" (the library) is missing or no usable string');
  if (!isNonEmptyString(url)) throw invalid('its claim "url" (the sync endpoint) is missing or no string');
  if (file !== undefined && !isNonEmptyString(file)) throw invalid('its claim "file" is no string');
  if (role !== undefined && typeof role !== 'string') throw invalid('its claim "role" is no string');
  // JSON has numbers, as 1e999, that read as infinite: such a token would never end.
  if (!isNumber(exp)) throw invalid('its claim "exp" is no finite number');
  if (iat !== undefined && !isNumber(iat)) throw invalid('its claim "iat" is no finite number');
  return Object.freeze({
    userId: sub as UserId,
    libraryId: lib as LibraryId,
    syncEndpoint: url,
    fileEndpoint: file ?? `${url.replace(/\/+$/, '')}/files`,
    type: readReplicaType(type),
    role,
    expiresAt: exp * 1000,
    ...(iat !== undefined && { issuedAt: Math.round(iat * 1000) }),
  });
};

/** Tokens made from a query string carry the number as text. Only a number leaves here, for others compare with `===`. */
const readReplicaType = (claim: unknown): ReplicaType => {
  if (claim === undefined) return ReplicaType.Realtime;
  const type = typeof claim === 'string' && /^\d$/.test(claim) ? Number(claim) : claim;
  if (!isReplicaType(type)) throw invalid('its claim "type" is no replica type');
  return type;
};

const isNumber = (value: unknown): value is number => Number.isFinite(value);

const isId = (value: unknown): value is string => isNonEmptyString(value) && value.length <= MAX_ID_LENGTH;

const isNonEmptyString = (value: unknown): value is string => typeof value === 'string' && value.length > 0;
