import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** What databases take on disk. */
export interface DatabaseSizes {
  /** Without what follows. */
  databaseBytes: number;
  /** Keys of folded operations: they are kept for two hours after their author's last sync, and only then let go of. */
  keptKeyBytes: number;
  walBytes: number;
}

/** Of all databases in a folder, while they are in use. */
export function databasesIn(directory: string): DatabaseSizes {
  const names = readdirSync(directory);
  const bytesOf = (suffix: string) =>
    names
      .filter((name) => name.endsWith(suffix))
      .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  const keptKeyBytes = names
    .filter((name) => name.endsWith('.sqlite'))
    .reduce((sum, name) => sum + keyBytesIn(join(directory, name)), 0);
  return {
    databaseBytes: Math.max(0, bytesOf('.sqlite') - keptKeyBytes),
    keptKeyBytes,
    walBytes: bytesOf('-wal'),
  };
}

function keyBytesIn(path: string): number {
  const database = new Database(path, { readonly: true });
  try {
    const row = database.prepare("SELECT sum(pgsize) AS bytes FROM dbstat WHERE name = 'folded_key'").get();
    return (row as { bytes: number | null }).bytes ?? 0;
  } finally {
    database.close();
  }
}
