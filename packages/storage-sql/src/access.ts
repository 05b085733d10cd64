import type { AccessRow } from '@verdant-web/core';
import type { AuthzKey, Oid } from '@verdant-web/protocol';
import type { Scope } from './operations.js';
import { decodeOptional, encodeOptional, encodeText } from './text.js';

const PUT = 'INSERT OR REPLACE INTO access (library, root, authz, deleted) VALUES (?, ?, ?, ?)';

export function putAccess({ database, key }: Scope, rows: readonly AccessRow[]): void {
  for (const { root, authz, deleted } of rows) {
    database.run(PUT, key, encodeText(root), encodeOptional(authz), Number(deleted));
  }
}

const ONE = 'SELECT authz, deleted FROM access WHERE library = ? AND root = ?';

export function findAccess({ database, key }: Scope, roots: readonly Oid[]): AccessRow[] {
  return roots.flatMap((root) => {
    const row = database.get<readonly [authz: string | null, deleted: number]>(ONE, key, encodeText(root));
    return row ? [{ root, authz: decodeOptional<AuthzKey>(row[0]), deleted: row[1] === 1 }] : [];
  });
}
