import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from './driver.js';

/** A driver with its statements, each prepared once, when it is first used. */
export class SqlDatabase {
  readonly driver: SqlDriver;
  readonly #statements = new Map<string, SqlStatement>();

  constructor(driver: SqlDriver) {
    this.driver = driver;
  }

  /** Returns how many rows it has changed, as the driver counts them. */
  run(sql: string, ...params: SqlValue[]): number {
    return this.#statement(sql).run(...params);
  }

  get<Row extends SqlRow>(sql: string, ...params: SqlValue[]): Row | undefined {
    return this.#statement(sql).get(...params) as Row | undefined;
  }

  all<Row extends SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    return this.#statement(sql).all(...params) as unknown as Row[];
  }

  /** Rows one by one; nothing may be written until the loop is left. */
  iterate<Row extends SqlRow>(sql: string, ...params: SqlValue[]): Iterable<Row> {
    return this.#statement(sql).iterate(...params) as unknown as Iterable<Row>;
  }

  #statement(sql: string): SqlStatement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.driver.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/**
 * How a library reaches its database: directly, through a pool of open files, or in one transaction with others.
 */
export interface SqlAccess {
  /** Runs `work` now. Undefined, without running it, while the database has not been created. */
  read<T>(work: (database: SqlDatabase) => T): T | undefined;
  /** Runs `work` in a transaction, creating the database if need be. Resolves when it is durable. */
  write<T>(work: (database: SqlDatabase) => T): Promise<T>;
  /** The library was closed. */
  release(): void;
}
