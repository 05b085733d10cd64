import type { Oid, ServerOrder, Timestamp } from '@verdant-web/protocol';
import type { SqlDatabase } from './database.js';
import type { OrderRange } from './order-ranges.js';
import { decodeText } from './text.js';

/** What is still there after this long is not about to be folded. */
const NEW_MS = 5_000;
/** So many of the newest operations stay out of the table, however old they are: a library that opens reads them. */
const REST = 1_024;
/** So many of the newest operations are in memory at most, however new they are. */
const MOST = 16_384;
/** The table is brought up to date with so many rows, or more: those of one object come to lie on one page. */
const BATCH = 256;

/** One of the newest operations, but for its text. */
export interface NewOperation {
  order: ServerOrder;
  author: number;
  oid: Oid;
  timestamp: Timestamp;
  /** The length of its text. */
  length: number;
}

/**
 * Which operations each object has. Rows of the table `object_operation` are scattered, and each costs about a page to write; yet most
 * operations are folded a second or two after they were stored. So the newest are told apart in memory, and get into
 * the table when they turn out to stay.
 *
 * Changed inside of transactions. Where one of them fails, this object has to be dropped: a fresh one reads what is there.
 */
export class ObjectIndex {
  readonly #library: number;
  #through: ServerOrder;
  #hasRows: boolean;
  /** In server order. */
  readonly #newest = new Map<ServerOrder, NewOperation>();
  /** Of each object, in timestamp order. */
  readonly #byObject = new Map<Oid, NewOperation[]>();
  /** The highest server order that there was at some time, and at the time before that. */
  #marked: ServerOrder;
  #old: ServerOrder;
  #markedAt = performance.now();

  constructor(database: SqlDatabase, library: number) {
    this.#library = library;
    this.#through = database.get<readonly [number]>(THROUGH, library)?.[0] ?? 0;
    this.#hasRows = hasRows(database, library);
    let last = this.#through;
    for (const row of database.all<NewestRow>(NEWEST, library, last)) {
      const [order, author, oid, timestamp, length] = row;
      this.add({ order, author, oid: decodeText(oid), timestamp: timestamp as Timestamp, length });
      last = order;
    }
    this.#marked = this.#old = last;
  }

  /** Up to this server order operations are in the table. */
  get through(): ServerOrder {
    return this.#through;
  }

  /** Whether there is anything in the table. */
  get hasRows(): boolean {
    return this.#hasRows;
  }

  /** Operations of this object that are not in the table, in timestamp order. */
  newestOf(oid: Oid): readonly NewOperation[] {
    return this.#byObject.get(oid) ?? [];
  }

  /** Operations that are not in the table, of objects of which the id begins with `prefix`. */
  newestIn(prefix: string): NewOperation[] {
    return [...this.#byObject].flatMap(([oid, found]) => (oid.startsWith(prefix) ? found : []));
  }

  /** Operations that are not in the table, in server order, those after `after`. */
  *newestAfter(after: ServerOrder): Iterable<NewOperation> {
    for (const operation of this.#newest.values()) if (operation.order > after) yield operation;
  }

  /** Takes up an operation that is being stored, with a higher server order than any. */
  add(operation: NewOperation): void {
    this.#newest.set(operation.order, operation);
    const ofObject = this.#byObject.get(operation.oid);
    if (ofObject) insertByTime(ofObject, operation);
    else this.#byObject.set(operation.oid, [operation]);
  }

  /** Forgets operations that are about to be taken out of the log. */
  remove(database: SqlDatabase, ranges: readonly OrderRange[]): void {
    const objects = new Set<Oid>();
    let ofTable = false;
    for (const [first, last] of ranges) {
      if (first <= this.#through && this.#hasRows) {
        database.run(REMOVE, this.#library, first, Math.min(last, this.#through));
        ofTable = true;
      }
      for (let order = first; order <= last; order++) {
        const operation = this.#newest.get(order);
        if (operation) objects.add(operation.oid);
        this.#newest.delete(order);
      }
    }
    this.#forgetRemoved(objects);
    if (ofTable) this.#hasRows = hasRows(database, this.#library);
  }

  /** Puts into the table what has turned out to stay, where that has become worth it. */
  catchUp(database: SqlDatabase, head: ServerOrder): void {
    const now = performance.now();
    if (now - this.#markedAt >= NEW_MS) {
      this.#old = this.#marked;
      this.#marked = head;
      this.#markedAt = now;
    }
    const tooMany = this.#newest.size - MOST;
    if (this.#newest.size < REST + BATCH) return;
    let count = 0;
    let through = this.#through;
    for (const order of this.#newest.keys()) {
      if (count >= this.#newest.size - REST || (order > this.#old && count >= tooMany)) break;
      through = order;
      count++;
    }
    if (count >= BATCH) this.#index(database, through);
  }

  /** Puts all that there is into the table. */
  complete(database: SqlDatabase): void {
    const last = [...this.#newest.keys()].at(-1);
    if (last !== undefined) this.#index(database, last);
  }

  #index(database: SqlDatabase, through: ServerOrder): void {
    database.run(INSERT, this.#library, this.#through, through);
    database.run(SET_THROUGH, through, this.#library);
    const objects = new Set<Oid>();
    for (const { order, oid } of this.#newest.values()) {
      if (order > through) break;
      this.#newest.delete(order);
      objects.add(oid);
    }
    this.#forgetRemoved(objects);
    this.#through = through;
    this.#hasRows = true;
  }

  #forgetRemoved(objects: Iterable<Oid>): void {
    for (const oid of objects) {
      const left = this.#byObject.get(oid)!.filter(({ order }) => this.#newest.has(order));
      if (left.length > 0) this.#byObject.set(oid, left);
      else this.#byObject.delete(oid);
    }
  }
}

const THROUGH = 'SELECT indexed_through FROM library WHERE key = ?';
const SET_THROUGH = 'UPDATE library SET indexed_through = ? WHERE key = ?';

const NEWEST = `
SELECT server_order, author, oid, timestamp, length(data) FROM operation
WHERE library = ? AND server_order > ? ORDER BY server_order`;

type NewestRow = readonly [order: number, author: number, oid: string, timestamp: string, length: number];

const HAS_ROWS = 'SELECT 1 FROM object_operation WHERE library = ? LIMIT 1';

const hasRows = (database: SqlDatabase, library: number): boolean =>
  database.get(HAS_ROWS, library) !== undefined;

// In the order of its key, so that rows which go to one page go there together.
const INSERT = `
INSERT INTO object_operation (library, oid, timestamp, server_order)
SELECT library, oid, timestamp, server_order FROM operation
WHERE library = ? AND server_order > ? AND server_order <= ? ORDER BY oid, timestamp`;

const REMOVE = `
DELETE FROM object_operation WHERE (library, oid, timestamp, server_order) IN (
  SELECT library, oid, timestamp, server_order FROM operation WHERE library = ? AND server_order BETWEEN ? AND ?
)`;

/** The last but in rare cases: one that comes late. */
function insertByTime(sorted: NewOperation[], operation: NewOperation): void {
  let at = sorted.length;
  while (at > 0 && sorted[at - 1]!.timestamp > operation.timestamp) at--;
  sorted.splice(at, 0, operation);
}
