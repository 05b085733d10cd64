import {
  type AuthzKey,
  authzGrants,
  authzKeyFor,
  isOid,
  isReplicaType,
  isTimestamp,
  type Oid,
  ORIGINATOR_SUBJECT,
  type Patch,
  type PlainObject,
  ReplicaType,
  type Timestamp,
  type UserId,
} from '@verdant-web/protocol';

/** What a column of the original may hold, whatever its type says. */
export type RawValue = string | number | bigint | Buffer | null;

const LENGTH = 24;
/** Before every time: what is dated so stands behind everything that is known. */
export const EARLIEST = '0'.repeat(LENGTH) as Timestamp;

/**
 * A timestamp as it was given to the original server. A column of 2.x takes those of migrations' defaults, which are
 * digits only, for numbers.
 */
export function usableTimestamp(value: RawValue): Timestamp | null {
  const text = typeof value === 'number' ? String(value).padStart(LENGTH, '0') : value;
  return isTimestamp(text) ? text : null;
}

export const usableOid = (value: RawValue): Oid | null => (isOid(value) ? value : null);

export const usableId = (value: RawValue): string | null =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null;

/** A whole number of at least 0; null: it is none. */
export const usableCount = (value: RawValue): number | null => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? Math.floor(number) : null;
};

/** A type that is none counts as the usual one: such a replica is waited for. */
export const usableType = (value: RawValue): ReplicaType => {
  const number = usableCount(value);
  return isReplicaType(number) ? number : ReplicaType.Realtime;
};

const OPS: Record<Patch['op'], true> = {
  initialize: true,
  set: true,
  remove: true,
  'list-set': true,
  'list-push': true,
  'list-insert': true,
  'list-delete': true,
  'list-move-by-index': true,
  'list-move-by-ref': true,
  'list-remove': true,
  'list-add': true,
  delete: true,
  touch: true,
};

/** A patch that clients can apply. One that they cannot makes each of them that reads it throw. */
export function usablePatch(text: RawValue): Patch | null {
  const patch = parsed(text) as Patch | null | undefined;
  if (typeof patch !== 'object' || patch === null || !Object.hasOwn(OPS, patch.op)) return null;
  return patch.op === 'initialize' && !isObject(patch.value) ? null : patch;
}

export const isSnapshot = (text: RawValue): text is string => isObject(parsed(text));

const isObject = (value: unknown): value is PlainObject => typeof value === 'object' && value !== null;

function parsed(text: RawValue): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The key as this server writes it, so that keys are equal where their users are. `author` is who wrote the row, where
 * that is known: a key for "whoever wrote this" becomes theirs.
 */
export function usableAuthz(
  value: RawValue,
  author: UserId | null,
  users: Iterable<UserId>,
): AuthzKey | null {
  if (typeof value !== 'string' || value === '') return null;
  if (author !== null && authzGrants(value, ORIGINATOR_SUBJECT)) return authzKeyFor(author);
  for (const user of users) if (authzGrants(value, user)) return authzKeyFor(user);
  return value as AuthzKey;
}
