import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from '@verdant-web/storage-sql';
import type Database from 'better-sqlite3';

/** Pages that one step of giving space back moves. */
const VACUUM_PAGES = 256;
/** Fewer free pages than this are left for what is written next. */
const SPARE_PAGES = 64;

/** A better-sqlite3 connection as `storage-sql` wants it. */
export class BetterSqliteDriver implements SqlDriver {
  readonly #db: Database.Database;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  readonly #savepoint: Database.Statement;
  readonly #release: Database.Statement;
  readonly #rollbackTo: Database.Statement;
  /** How many calls of `transaction` are inside of each other now. */
  #depth = 0;
  /** What made SQLite end the transaction by itself: a full disk, for one. */
  #endedBy: { error: unknown } | null = null;
  /** Free pages are being given back, over several calls. */
  #shrinking = false;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
    this.#savepoint = db.prepare('SAVEPOINT part');
    this.#release = db.prepare('RELEASE part');
    this.#rollbackTo = db.prepare('ROLLBACK TO part');
  }

  prepare(sql: string): SqlStatement {
    const statement = this.#db.prepare<SqlValue[], SqlRow>(sql);
    // Arrays are read a third faster than objects.
    if (statement.reader) statement.raw();
    return {
      run: (...params) => statement.run(...params).changes,
      get: (...params) => statement.get(...params),
      all: (...params) => statement.all(...params),
      iterate: (...params) => statement.iterate(...params),
    };
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  transaction<T>(work: () => T): T {
    return this.#depth === 0 ? this.#outer(work) : this.#inner(work);
  }

  releaseSpace(maxMs: number): boolean {
    const deadline = performance.now() + maxMs;
    let free = this.#freePages();
    if (free === 0 || (free < SPARE_PAGES && !this.#shrinking)) return false;
    this.#shrinking = true;
    let before: number;
    do {
      before = free;
      this.#db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
      free = this.#freePages();
      // Without auto_vacuum=INCREMENTAL from its creation on, a database keeps its free pages.
      if (free === before) break;
    } while (free > 0 && performance.now() < deadline);
    if (free > 0 && free < before) return true;
    this.#shrinking = false;
    // Only now does the file itself become smaller.
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
    return false;
  }

  #freePages(): number {
    return this.#db.pragma('freelist_count', { simple: true }) as number;
  }

  #outer<T>(work: () => T): T {
    this.#begin.run();
    this.#endedBy = null;
    this.#depth++;
    try {
      const result = work();
      this.#assertInTransaction();
      this.#commit.run();
      return result;
    } catch (error) {
      // A full disk, for one, makes SQLite roll back by itself.
      if (this.#db.inTransaction) this.#rollback.run();
      throw error;
    } finally {
      this.#depth--;
    }
  }

  #inner<T>(work: () => T): T {
    // Outside of a transaction a savepoint would begin one.
    this.#assertInTransaction();
    this.#savepoint.run();
    this.#depth++;
    try {
      const result = work();
      this.#release.run();
      return result;
    } catch (error) {
      if (this.#db.inTransaction) {
        this.#rollbackTo.run();
        this.#release.run();
      } else {
        this.#endedBy ??= { error };
      }
      throw error;
    } finally {
      this.#depth--;
    }
  }

  #assertInTransaction(): void {
    if (this.#db.inTransaction) return;
    throw this.#endedBy ? this.#endedBy.error : new Error('SQLite rolled the transaction back');
  }
}
