import type { Oid, Patch, ServerOrder } from '@verdant-web/protocol';
import type { OperationRow } from '../storage/rows.js';

/** Patches that never make an object smaller. A list that only grows is not looked at again for each of them. */
const GROWS: ReadonlySet<Patch['op']> = new Set([
  'list-push',
  'list-insert',
  'list-add',
  'list-move-by-index',
  'list-move-by-ref',
  'touch',
]);

/**
 * The objects of a library that are too large to be folded: folding passes them over, until something comes that may have
 * made them smaller.
 */
export class TooLargeObjects {
  /** With the operations that may have made each smaller, of those that came since. */
  readonly #objects = new Map<Oid, Set<ServerOrder>>();
  /** Those that this pass has looked at. */
  readonly #seen = new Set<Oid>();

  /** These were stored. */
  wrote(operations: readonly OperationRow[]): void {
    if (this.#objects.size === 0) return;
    for (const { oid, order, data } of operations) {
      const object = this.#objects.get(oid);
      if (object && !GROWS.has((JSON.parse(data) as Patch).op)) object.add(order);
    }
  }

  /** Folding begins at the start of the log. */
  beginPass(): void {
    this.#seen.clear();
  }

  /** Those that are not worth another look, where this may be folded. */
  passedOver(through: ServerOrder): Oid[] {
    if (this.#objects.size === 0) return [];
    const isWorthIt = (oid: Oid, smaller: ReadonlySet<ServerOrder>) =>
      !this.#seen.has(oid) && [...smaller].some((order) => order <= through);
    return [...this.#objects].filter(([oid, smaller]) => !isWorthIt(oid, smaller)).map(([oid]) => oid);
  }

  /** It was too large with all that may be folded. True: that was not known before. */
  found(oid: Oid, lookedAt: readonly OperationRow[]): boolean {
    this.#seen.add(oid);
    const smaller = this.#objects.get(oid);
    for (const { order } of lookedAt) smaller?.delete(order);
    if (smaller === undefined) this.#objects.set(oid, new Set());
    return smaller === undefined;
  }

  /** It was folded. */
  forget(oid: Oid): void {
    this.#objects.delete(oid);
  }
}
