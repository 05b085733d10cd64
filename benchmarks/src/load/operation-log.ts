import Database from 'better-sqlite3';

/** The operations of our server's that are not folded yet, read from a library's database while it writes. */
export class OperationLog {
  readonly #database: Database.Database;
  readonly #length: Database.Statement<[], number>;

  constructor(path: string) {
    this.#database = new Database(path, { readonly: true });
    this.#length = this.#prepare<number>(
      'SELECT operations FROM library WHERE epoch >= 0 ORDER BY epoch DESC',
    );
  }

  get length(): number {
    return this.#length.get()!;
  }

  /** The timestamp of the last one. */
  get last(): string {
    return this.#prepare<string>('SELECT timestamp FROM operation ORDER BY server_order DESC LIMIT 1').get()!;
  }

  close(): void {
    this.#database.close();
  }

  #prepare<Value>(sql: string): Database.Statement<[], Value> {
    return this.#database.prepare<[], Value>(sql).pluck() as unknown as Database.Statement<[], Value>;
  }
}
