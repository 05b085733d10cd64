import type { AccessRow, BaselineRow, OperationRow } from './rows.js';
import type { LibraryChange, StagedRows, StageId } from './storage.js';

type HeldRows = { operations: OperationRow[]; baselines: BaselineRow[]; access: AccessRow[] };

/**
 * Staged rows of one `LibraryStorage`, in memory, for a backend that holds its libraries in memory anyway. One whose
 * libraries may be larger than that writes staged rows where its others are.
 *
 * @example
 * ```ts
 * const stages = new HeldStages();
 * const id = await stages.stage(pages); // LibraryStorage.stage
 * apply(stages.adopted(change, isEmpty)); // LibraryStorage.commit; then
 * stages.discard(change.adopt);
 * ```
 */
export class HeldStages {
  readonly #stages = new Map<StageId, HeldRows>();
  #lastId = 0;

  /** Reads all pages. Rejects as they do, and then keeps nothing. */
  async stage(pages: AsyncIterable<StagedRows>): Promise<StageId> {
    const rows: HeldRows = { operations: [], baselines: [], access: [] };
    for await (const page of pages) {
      rows.operations.push(...(page.operations ?? []).map((row) => ({ ...row })));
      rows.baselines.push(...(page.baselines ?? []).map((row) => ({ ...row })));
      rows.access.push(...(page.access ?? []).map((row) => ({ ...row })));
    }
    const id = String(++this.#lastId) as StageId;
    this.#stages.set(id, rows);
    return id;
  }

  /** Undefined: nothing to discard. */
  discard(id: StageId | undefined): void {
    if (id !== undefined) this.#stages.delete(id);
  }

  /** Discards all, as an eviction does. */
  clear(): void {
    this.#stages.clear();
  }

  /**
   * The change with the rows that it adopts before its own; as it is where it adopts none.
   *
   * @param isEmpty Whether the library holds neither operations nor baselines.
   * @throws Where there is no such stage, or the library is not empty.
   */
  adopted(change: LibraryChange, isEmpty: boolean): LibraryChange {
    if (change.adopt === undefined) return change;
    const staged = this.#stages.get(change.adopt);
    if (!staged) throw new Error('There is no such stage');
    if (!isEmpty) throw new Error('Staged rows are adopted by a library without content alone');
    return {
      ...change,
      operations: [...staged.operations, ...(change.operations ?? [])],
      baselines: [...staged.baselines, ...(change.baselines ?? [])],
      access: [...staged.access, ...(change.access ?? [])],
    };
  }
}
