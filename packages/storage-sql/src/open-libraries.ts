import type { LibraryId } from '@verdant-web/protocol';
import type { SqlAccess } from './database.js';
import { listLibraries } from './heads.js';
import { SqlLibraryStorage } from './library-storage.js';

const LIST_PAGE = 500;

/** The libraries that are open now, one `SqlLibraryStorage` each. */
export class OpenLibraries {
  readonly #open = new Map<LibraryId, SqlLibraryStorage>();
  #closed: string | null = null;

  /** Opens a library. One that is open already is cut off from its earlier `SqlLibraryStorage`. */
  open(id: LibraryId, access: SqlAccess): SqlLibraryStorage {
    if (this.#closed !== null) throw new Error(this.#closed);
    this.#open.get(id)?.cutOff(`Library ${JSON.stringify(id)} was opened again`);
    const library: SqlLibraryStorage = new SqlLibraryStorage(id, {
      read: (work) => access.read(work),
      write: (work) => access.write(work),
      release: () => {
        this.#open.delete(id);
        access.release();
      },
    });
    this.#open.set(id, library);
    return library;
  }

  /** The ids of all libraries that are stored, those after `after`, in order. Nothing is held from one page to the next. */
  async *list(access: SqlAccess, after?: LibraryId): AsyncIterable<LibraryId> {
    let last = after ?? null;
    for (;;) {
      this.assertOpen();
      const from = last;
      const page = access.read((database) => listLibraries(database, from, LIST_PAGE)) ?? [];
      yield* page;
      if (page.length < LIST_PAGE) return;
      last = page.at(-1)!;
    }
  }

  /** Cuts all of them off; none can be opened from now on. */
  close(reason: string): void {
    this.#closed = reason;
    for (const library of [...this.#open.values()]) library.cutOff(reason);
  }

  assertOpen(): void {
    if (this.#closed !== null) throw new Error(this.#closed);
  }
}
