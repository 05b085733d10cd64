import type Database from 'better-sqlite3';

/**
 * `full`: what was acknowledged survives the loss of power. `normal`: it survives the death of the process, and after
 * a loss of power the database is whole, but may lack the last moments.
 */
export type Durability = 'full' | 'normal';

/** SQLite keeps nearly all of these per connection, not in the file: they are set on every open. */
export function setPragmas(db: Database.Database, durability: Durability, cacheKiB: number): void {
  db.pragma('busy_timeout = 5000');
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`);
  // The log is copied into the file each 4 MB, and does not stay larger after a large commit.
  db.pragma('wal_autocheckpoint = 1000');
  db.pragma(`journal_size_limit = ${4 * 1024 * 1024}`);
  db.pragma('temp_store = MEMORY');
  db.pragma(`cache_size = -${cacheKiB}`);
}
