import type { LibraryId } from '@verdant-web/protocol';
import type { SqlDatabase } from './database.js';
import { encodeText } from './text.js';

const TABLES = [
  'author',
  'operation',
  'object_operation',
  'folded_key',
  'baseline',
  'replica',
  'access',
  'file',
];

/**
 * Takes over a library from another database of ours that is attached as `from`, inside of a transaction of the
 * caller's, into one that has no library yet. Earlier epochs come too: their files are still to be deleted.
 */
export function copyLibrary(database: SqlDatabase, from: string, id: LibraryId): void {
  database.run(
    `INSERT INTO main.library SELECT * FROM ${from}.library WHERE id = ? AND epoch >= 0`,
    encodeText(id),
  );
  for (const table of TABLES) {
    database.run(
      `INSERT INTO main.${table} SELECT * FROM ${from}.${table} WHERE library IN (SELECT key FROM main.library)`,
    );
  }
}
