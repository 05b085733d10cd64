import type { LibraryId } from '@verdant-web/protocol';
import type { RevocationRow } from '../storage/rows.js';
import type { LibraryStorage, Storage } from '../storage/storage.js';
import type { MemoryLibrary } from './library.js';
import { MemoryLibraryStorage } from './library-storage.js';

/** No JavaScript string can be longer, so neither can a value be. */
const MAX_VALUE_BYTES = 2 ** 29 - 24;

/**
 * Storage in memory: for tests, simulations and demos. What was committed lives as long as the returned object,
 * through `close()` and opening again, so that a "restart" of the server on it finds what the last one left.
 *
 * Deterministic: no clock, no randomness, no timers; each call has done its work when it returns its promise.
 * Opening a library that is open already cuts the earlier `LibraryStorage` off, as the death of its process would.
 *
 * @example
 * ```ts
 * import { memoryStorage } from '@verdant-web/core/memory';
 *
 * const storage = memoryStorage();
 * const library = await storage.open('demo' as LibraryId);
 * await library.load(0); // null: no commit yet
 * ```
 */
export function memoryStorage(): Storage {
  const libraries = new Map<LibraryId, MemoryLibrary>();
  const opened = new Map<LibraryId, MemoryLibraryStorage>();
  const revocations = new Map<string, RevocationRow>();

  return {
    limits: { maxValueBytes: MAX_VALUE_BYTES, multiProcess: false },

    async open(id): Promise<LibraryStorage> {
      opened.get(id)?.cutOff(`Library ${JSON.stringify(id)} was opened again`);
      const library = new MemoryLibraryStorage({
        find: () => libraries.get(id),
        put: (library) => libraries.set(id, library),
      });
      opened.set(id, library);
      return library;
    },

    async *list(after): AsyncIterable<LibraryId> {
      for (const id of [...libraries.keys()].sort()) {
        if (after === undefined || id > after) yield id;
      }
    },

    async readRevocations() {
      return [...revocations.values()].map((row) => ({ ...row }));
    },

    async putRevocation(row) {
      const key = JSON.stringify([row.userId, row.libraryId]);
      const earlier = revocations.get(key);
      if (!earlier || earlier.issuedBefore < row.issuedBefore) revocations.set(key, { ...row });
    },

    async close() {
      for (const library of opened.values()) library.cutOff('The storage was closed');
      opened.clear();
    },
  };
}
