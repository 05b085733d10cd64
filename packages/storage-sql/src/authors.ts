import type { ReplicaId } from '@verdant-web/protocol';
import type { SqlDatabase } from './database.js';
import { decodeText, encodeText } from './text.js';

const INSERT = 'INSERT INTO author (library, number, id) VALUES (?, ?, ?)';
const READ = 'SELECT number, id FROM author WHERE library = ?';

/**
 * The numbers that stand for replica ids in the tables with a row per operation: 36 bytes fewer, twice for each.
 * Held in memory while the library is open, as a library has few authors.
 */
export class Authors {
  readonly #library: number;
  readonly #numbers = new Map<ReplicaId, number>();
  readonly #ids = new Map<number, ReplicaId>();

  constructor(database: SqlDatabase, library: number) {
    this.#library = library;
    for (const [number, id] of database.all<readonly [number, string]>(READ, library)) {
      this.#remember(number, decodeText(id));
    }
  }

  /** Undefined: this replica never stored an operation here. */
  find(id: ReplicaId): number | undefined {
    return this.#numbers.get(id);
  }

  /** The replica's number, given to it now if it has none. What is given must commit, or this object be dropped. */
  numberOf(database: SqlDatabase, id: ReplicaId): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    // Numbers are dense and never taken back.
    const number = this.#numbers.size + 1;
    database.run(INSERT, this.#library, number, encodeText(id));
    this.#remember(number, id);
    return number;
  }

  idOf(number: number): ReplicaId {
    const id = this.#ids.get(number);
    if (id === undefined) throw new Error(`Author ${number} is missing from the database`);
    return id;
  }

  #remember(number: number, id: ReplicaId): void {
    this.#numbers.set(id, number);
    this.#ids.set(number, id);
  }
}
