import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from '@verdant-web/storage-sql';
import type { ObjectStorageApi } from './platform.js';

/** The SQL of a Durable Object as `storage-sql` wants it. The runtime keeps prepared statements by their text. */
export class ObjectSqlDriver implements SqlDriver {
  readonly #storage: ObjectStorageApi;

  constructor(storage: ObjectStorageApi) {
    this.#storage = storage;
  }

  prepare(sql: string): SqlStatement {
    const rows = (params: SqlValue[]) =>
      this.#storage.sql.exec(sql, ...params).raw() as IterableIterator<SqlRow>;
    return {
      run: (...params) => this.#storage.sql.exec(sql, ...params).rowsWritten,
      get: (...params) => {
        const first = rows(params).next();
        return first.done ? undefined : first.value;
      },
      all: (...params) => [...rows(params)],
      iterate: (...params) => rows(params),
    };
  }

  exec(sql: string): void {
    this.#storage.sql.exec(sql);
  }

  transaction<T>(work: () => T): T {
    return this.#storage.transactionSync(work);
  }

  /** The platform sees to it: an object's free pages are used again, and its size is what is in it. */
  releaseSpace(): boolean {
    return false;
  }
}
