import {
  type AuthzKey,
  authzGrants,
  isRoot,
  type Oid,
  type Operation,
  ORIGINATOR_SUBJECT,
  type Patch,
  rootOf,
} from '@verdant-web/protocol';
import type { AccessRow } from '../storage/rows.js';
import type { Caller } from './connection.js';

/** What access decisions need to know of the library. */
export interface AccessView {
  /** The access row of a document's root; null: it was never private. */
  access(root: Oid): AccessRow | null;
  /** Whether the root object exists as that of a public document. Only asked where an operation would make it private. */
  isPublic(root: Oid): boolean;
  /** Whether nobody but the author of the message has written to the library. */
  isAlone: boolean;
}

/** What becomes of one operation. */
export type AccessDecision =
  | { allowed: true; authz: AuthzKey | null; row: AccessRow | null }
  | { allowed: false };

/**
 * Whether `caller` may store the operation, and under which key.
 *
 * The document decides, not the operation: what is under a private document stays private whether or not an operation
 * says so, and nobody else may write there. Access is set when a document is created; an `initialize` of a root that was
 * deleted creates it anew. `announced` is the key under which a later operation of the same message creates the
 * document, since clients send nested objects before their root.
 *
 * Where somebody else's public document is in the way of a private one, nothing of the private one is stored: its author
 * has not agreed to publish it, and whoever guesses the keys of documents could have others do so.
 */
export function decideAccess(
  operation: Operation,
  caller: Caller,
  view: AccessView,
  announced: AuthzKey | null,
): AccessDecision {
  const root = rootOf(operation.oid);
  const given = operation.authz === undefined ? null : ownKey(operation.authz, caller);
  if (given === 'foreign') return REFUSED;
  const row = view.access(root);
  const creates = isRoot(operation.oid) && operation.data.op === 'initialize';

  if (row !== null && row.authz !== null && !row.deleted) {
    if (row.authz !== caller.authz) return REFUSED;
    const deletes = isRoot(operation.oid) && operation.data.op === 'delete';
    return allow(row.authz, deletes ? { ...row, deleted: true } : null);
  }
  const isMeantPrivate = given !== null || (announced !== null && operation.data.op === 'initialize');
  const mayBeInTheWay = announced !== null || row !== null;
  if (isMeantPrivate && mayBeInTheWay && operation.data.op !== 'delete') {
    if (!view.isAlone && view.isPublic(root)) return REFUSED;
  }
  if (creates) {
    if (given !== null && !(row?.authz == null && view.isPublic(root))) {
      return allow(given, { root, authz: given, deleted: false });
    }
    // A public document that follows a private one: what its former owner left is no longer in the way.
    return allow(null, row !== null && row.authz !== null ? { root, authz: null, deleted: false } : null);
  }
  if (row !== null && row.authz !== null) {
    // A late change to a deleted private document: its owner's is kept, unseen by others; nobody else can have seen it.
    return row.authz === caller.authz ? allow(row.authz, null) : REFUSED;
  }
  const key = announced ?? given;
  return allow(key !== null && !view.isPublic(root) ? key : null, null);
}

/** Notes the key under which an operation creates a document, for what precedes its root in the same message. */
export function announce(keys: Map<Oid, AuthzKey>, { oid, data, authz }: Operation, caller: Caller): void {
  if (authz === undefined || data.op !== 'initialize' || !isRoot(oid) || keys.has(oid)) return;
  const key = ownKey(authz, caller);
  if (key !== 'foreign') keys.set(oid, key);
}

/** The caller's key where `authz` grants the caller access, in whichever encoding, or names the originator. */
const ownKey = (authz: string, caller: Caller): AuthzKey | 'foreign' =>
  authz === caller.authz || authzGrants(authz, caller.userId) || authzGrants(authz, ORIGINATOR_SUBJECT)
    ? caller.authz
    : 'foreign';

/** Follows whether a root object exists as that of a public document, operation by operation. */
export function isPublicAfter(before: boolean, patch: Patch, authz: AuthzKey | null): boolean {
  if (patch.op === 'initialize') return authz === null;
  return patch.op === 'delete' ? false : before;
}

const REFUSED: AccessDecision = { allowed: false };

const allow = (authz: AuthzKey | null, row: AccessRow | null): AccessDecision => ({
  allowed: true,
  authz,
  row,
});
