import type { Oid, ServerOrder } from '@verdant-web/protocol';
import type { OperationKey, OperationRow } from '../storage/rows.js';

/** The operations that are not folded yet, reachable by server order, by object and by key. */
export class OperationLog {
  /** In server order. */
  #rows: OperationRow[] = [];
  readonly #orders = new Set<ServerOrder>();
  /** Each in timestamp order; equal timestamps in server order. */
  readonly #byObject = new Map<Oid, OperationRow[]>();
  readonly #keys = new Set<string>();

  /** Throws where a server order is taken. */
  assertNew(rows: readonly OperationRow[]): void {
    const orders = new Set<ServerOrder>();
    for (const { order } of rows) {
      if (this.#orders.has(order) || orders.has(order)) throw new Error(`Server order ${order} is taken`);
      orders.add(order);
    }
  }

  append(rows: readonly OperationRow[]): void {
    for (const given of rows) {
      const row = { ...given };
      insert(this.#rows, row, inServerOrder);
      this.#orders.add(row.order);
      this.#keys.add(keyText(row));
      const ofObject = this.#byObject.get(row.oid);
      if (ofObject) insert(ofObject, row, inTimestampOrder);
      else this.#byObject.set(row.oid, [row]);
    }
  }

  /** Takes them out and returns them; orders that are not there are passed over. */
  remove(orders: readonly ServerOrder[]): OperationRow[] {
    const going = new Set(orders.filter((order) => this.#orders.has(order)));
    if (going.size === 0) return [];
    const removed = this.#rows.filter((row) => going.has(row.order));
    this.#rows = this.#rows.filter((row) => !going.has(row.order));
    for (const row of removed) {
      this.#orders.delete(row.order);
      this.#keys.delete(keyText(row));
    }
    for (const oid of new Set(removed.map((row) => row.oid))) this.#removeFromObject(oid, going);
    return removed;
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  holds(key: OperationKey): boolean {
    return this.#keys.has(keyText(key));
  }

  /** In server order: `after` < order ≤ `through`. */
  range(after: ServerOrder, through: ServerOrder): OperationRow[] {
    return this.#rows.slice(this.#indexAfter(after), this.#indexAfter(through));
  }

  /** In timestamp order; equal timestamps in server order. */
  ofObject(oid: Oid): readonly OperationRow[] {
    return this.#byObject.get(oid) ?? [];
  }

  objects(): IterableIterator<Oid> {
    return this.#byObject.keys();
  }

  #removeFromObject(oid: Oid, orders: Set<ServerOrder>): void {
    const rest = this.ofObject(oid).filter((row) => !orders.has(row.order));
    if (rest.length > 0) this.#byObject.set(oid, rest);
    else this.#byObject.delete(oid);
  }

  #indexAfter(order: ServerOrder): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#rows[middle]!.order <= order) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const inServerOrder = (a: OperationRow, b: OperationRow): number => a.order - b.order;

export const inTimestampOrder = (a: OperationRow, b: OperationRow): number =>
  a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : inServerOrder(a, b);

/** One text for one key; unambiguous whatever the parts contain. */
export const keyText = ({ replicaId, oid, timestamp }: OperationKey): string =>
  JSON.stringify([replicaId, timestamp, oid]);

/** Rows nearly always come in order, so the place is looked for from the end. */
function insert<Row>(rows: Row[], row: Row, compare: (a: Row, b: Row) => number): void {
  let at = rows.length;
  while (at > 0 && compare(rows[at - 1]!, row) > 0) at--;
  if (at === rows.length) rows.push(row);
  else rows.splice(at, 0, row);
}
