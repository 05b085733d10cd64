import { getUndoOperations, type Operation as OracleOperation } from '@verdant-web/common';
import type { AuthzKey, Oid, Operation } from '@verdant-web/protocol';
import type { ClientDatabase } from './client-database.js';
import type { HybridClock } from './hybrid-clock.js';

/**
 * What one page can undo and redo, in memory only. As in the published client, the inverse of a change is reckoned from the
 * state before it, when it is made; others may have written since when it is asked for.
 */
export class UndoHistory {
  readonly #database: ClientDatabase;
  readonly #undoable: Operation[][] = [];
  readonly #undone: Operation[][] = [];

  constructor(database: ClientDatabase) {
    this.#database = database;
  }

  /** The user is about to make this change. */
  remember(operations: readonly Operation[]): void {
    if (operations.length === 0) return;
    this.#undoable.push(this.#inverseOf(operations));
    this.#undone.length = 0;
  }

  /** The last change backwards, as a new change; none where there is nothing to undo. */
  undo(clock: HybridClock): Operation[] {
    return this.#move(this.#undoable, this.#undone, clock);
  }

  /** What was undone last, once more. */
  redo(clock: HybridClock): Operation[] {
    return this.#move(this.#undone, this.#undoable, clock);
  }

  #move(from: Operation[][], to: Operation[][], clock: HybridClock): Operation[] {
    const operations = from.pop() ?? [];
    if (operations.length === 0) return [];
    to.push(this.#inverseOf(operations));
    return operations.map((operation) => ({ ...operation, timestamp: clock.now() }));
  }

  #inverseOf(operations: readonly Operation[]): Operation[] {
    const byOid = new Map<Oid, Operation[]>();
    for (const operation of operations)
      byOid.set(operation.oid, [...(byOid.get(operation.oid) ?? []), operation]);
    const inverse: Operation[] = [];
    for (const [oid, patches] of byOid) {
      const authz = patches[0]!.authz;
      const state = this.#database.read(oid);
      inverse.unshift(...inverseOf(oid, state, patches, authz));
    }
    return inverse;
  }
}

/**
 * The client writes no authz into what undoes, so that undoing the deletion of a private document publishes it. Here it does:
 * checks could not tell that from a server that publishes.
 */
function inverseOf(
  oid: Oid,
  state: unknown,
  patches: readonly Operation[],
  authz: AuthzKey | undefined,
): Operation[] {
  // The oracle is noisy about patches of lists that are none, which do nothing.
  const effective = patches.filter(({ data }) => Array.isArray(state) || !data.op.startsWith('list-'));
  return oracleInverseOf(oid, state, effective).map(({ data }) => ({
    oid,
    // Given when it is sent.
    timestamp: '' as Operation['timestamp'],
    data: JSON.parse(JSON.stringify(data)) as Operation['data'],
    ...(authz === undefined ? {} : { authz }),
  }));
}

/** Nothing where the oracle, looking for a ref, stumbles over an item that is none, which a move from beyond the end leaves. */
function oracleInverseOf(oid: Oid, state: unknown, patches: readonly Operation[]): OracleOperation[] {
  try {
    return getUndoOperations(oid, state, patches as unknown as OracleOperation[], () => '');
  } catch (error) {
    if (error instanceof TypeError) return [];
    throw error;
  }
}
