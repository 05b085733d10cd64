import type { SqlDatabase } from '@verdant-web/storage-sql';

const TABLE =
  'CREATE TABLE IF NOT EXISTS verdant_object (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID';
const EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'verdant_object'";

/** What an object knows of itself, by name: the layout of its tables, its library, who was present when it last rested. */
export class ObjectFacts {
  readonly #database: SqlDatabase;
  #isKnownToExist = false;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  get(name: string): string | null {
    if (!this.#exists) return null;
    const row = this.#database.get<readonly [string]>(
      'SELECT value FROM verdant_object WHERE name = ?',
      name,
    );
    return row?.[0] ?? null;
  }

  /** Those whose name begins so. */
  startingWith(prefix: string): Map<string, string> {
    if (!this.#exists) return new Map();
    return new Map(
      this.#database.all<readonly [string, string]>(
        'SELECT name, value FROM verdant_object WHERE name >= ? AND name < ?',
        prefix,
        `${prefix}\u{10ffff}`,
      ),
    );
  }

  set(name: string, value: string): void {
    // Not noted: where this is in a transaction, it may yet be rolled back.
    if (!this.#isKnownToExist) this.#database.driver.exec(TABLE);
    this.#database.run('INSERT OR REPLACE INTO verdant_object (name, value) VALUES (?, ?)', name, value);
  }

  delete(name: string): void {
    if (this.#exists) this.#database.run('DELETE FROM verdant_object WHERE name = ?', name);
  }

  /** An object that keeps nothing has no tables. Not asked in a transaction. */
  get #exists(): boolean {
    this.#isKnownToExist ||= this.#database.get(EXISTS) !== undefined;
    return this.#isKnownToExist;
  }
}
