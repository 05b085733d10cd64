import type { AccessRow } from '@verdant-web/core';
import { type AuthzKey, isRoot, type Oid, type Patch, rootOf } from '@verdant-web/protocol';

/**
 * Who may see each document that is or was private, worked out from the access keys that the original kept on single
 * rows. It looked at those alone: a change without one to a private document went to everybody.
 */
export class DocumentAccess {
  readonly #rows = new Map<Oid, AccessRow>();

  baseline(oid: Oid, authz: AuthzKey | null): void {
    if (authz !== null && isRoot(oid)) this.#rows.set(oid, { root: oid, authz, deleted: false });
  }

  /** Operations in server order, after the baselines. */
  operation(oid: Oid, { op }: Patch, authz: AuthzKey | null): void {
    if (!isRoot(oid)) return;
    const row = this.#rows.get(oid);
    if (op === 'delete' && row?.authz) this.#rows.set(oid, { ...row, deleted: true });
    if (op !== 'initialize') return;
    if (!row || row.authz === null || row.deleted) {
      if (authz !== null || row) this.#rows.set(oid, { root: oid, authz, deleted: false });
    }
  }

  /** Under which key a row is kept: its own, else that of its document. */
  keyOf(oid: Oid, authz: AuthzKey | null): AuthzKey | null {
    return authz ?? this.#rows.get(rootOf(oid))?.authz ?? null;
  }

  get rows(): AccessRow[] {
    return [...this.#rows.values()];
  }
}
