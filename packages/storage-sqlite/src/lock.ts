import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import Database from 'better-sqlite3';

/**
 * Keeps other processes, and a second storage in this one, off the same files until the returned function is called.
 * `path` is that of an empty SQLite database with nothing in it but a lock, which the operating system takes
 * away when the process dies, however it does. `guarded` is what the error names.
 */
export function acquireLock(path: string, guarded: string): () => void {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: 0 });
    // No journal file beside it: nothing is ever written.
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db?.close();
    throw lockError(error, path, guarded);
  }
  const held = db;
  return () => held.close();
}

function lockError(error: unknown, path: string, guarded: string): VerdantError {
  const code = error instanceof Database.SqliteError ? error.code : '';
  const message = code.startsWith('SQLITE_BUSY')
    ? `${guarded} is in use by another Verdant server, or by another storage in this process. Stop that one first, or give this one a path of its own; several servers cannot share SQLite files. (The lock is ${path}.)`
    : `${guarded} cannot be locked: ${error instanceof Error ? error.message : String(error)}. Make sure that this process may create and write ${path}.`;
  return new VerdantError(VerdantErrorCode.Configuration, message, { cause: error });
}
