import type { RevocationRow } from '@verdant-web/core';
import type { SqlDatabase } from './database.js';
import { decodeText, encodeText } from './text.js';

/**
 * Not part of the schema of a library: one database in a directory of many holds revocations, and most servers never
 * have one. Ids are never empty, so an empty one stands for whichever.
 */
const CREATE = `
CREATE TABLE IF NOT EXISTS revocation (
  user_id TEXT NOT NULL,
  library_id TEXT NOT NULL,
  issued_before INTEGER NOT NULL,
  PRIMARY KEY (user_id, library_id)
) WITHOUT ROWID`;

const PUT = `
INSERT INTO revocation (user_id, library_id, issued_before) VALUES (?, ?, ?)
ON CONFLICT (user_id, library_id) DO UPDATE SET issued_before = max(issued_before, excluded.issued_before)`;

/** See `Storage.readRevocations`. */
export function readRevocations(database: SqlDatabase): RevocationRow[] {
  if (!hasTable(database)) return [];
  return database
    .all<readonly [string, string, number]>('SELECT user_id, library_id, issued_before FROM revocation')
    .map(([userId, libraryId, issuedBefore]) => ({
      userId: decodeId(userId),
      libraryId: decodeId(libraryId),
      issuedBefore,
    }));
}

/** See `Storage.putRevocation`. Run in a transaction. */
export function putRevocation(database: SqlDatabase, row: RevocationRow): void {
  if (!hasTable(database)) database.driver.exec(CREATE);
  database.run(PUT, encodeId(row.userId), encodeId(row.libraryId), row.issuedBefore);
}

const hasTable = (database: SqlDatabase): boolean =>
  database.get("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'revocation'") !== undefined;

const encodeId = (id: string | null): string => (id === null ? '' : encodeText(id));

const decodeId = <Id extends string>(text: string): Id | null => (text === '' ? null : decodeText<Id>(text));
