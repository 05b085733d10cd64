/** What a statement takes and gives. Booleans are kept as 0 and 1. */
export type SqlValue = string | number | null;

/** A row: its columns in the order in which the statement names them. */
export type SqlRow = readonly SqlValue[];

/** A prepared statement. Parameters are positional. */
export interface SqlStatement {
  /** Returns how many rows it has changed; those of indexes may be counted, too. */
  run(...params: SqlValue[]): number;
  /** The first row. */
  get(...params: SqlValue[]): SqlRow | undefined;
  all(...params: SqlValue[]): SqlRow[];
  /** Rows one by one. Leaving the loop early closes the statement. Nothing is written while it is open. */
  iterate(...params: SqlValue[]): Iterable<SqlRow>;
}

/**
 * One open SQLite database, as the SQL of this package needs it. Synchronous: better-sqlite3 is, and so is the SQL of
 * a Durable Object.
 */
export interface SqlDriver {
  prepare(sql: string): SqlStatement;
  /** Runs statements that return nothing. */
  exec(sql: string): void;
  /**
   * Runs `work` in a transaction that takes the write lock at once, commits when it returns and rolls back when it
   * throws. May be called inside of another's `work`: then what is inside rolls back alone.
   */
  transaction<T>(work: () => T): T;
  /** Gives free pages back to the file system for about `maxMs`. True: there is more. Not called in a transaction. */
  releaseSpace(maxMs: number): boolean;
}
