import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { LiveLibrary } from '../library/live-library.js';
import type { LibraryState } from '../library/state.js';
import type { FileRow } from '../storage/rows.js';
import { FileTurns } from './turns.js';

/** What a library in memory knows of its files: who is at work on which, and how many bytes they are together. */
export class LibraryFiles {
  readonly turns = new FileTurns();
  readonly #library: LiveLibrary;
  /** Of the records, as long as they are those of this state: another one was read anew. */
  #recorded: { state: LibraryState; bytes: number } | null = null;
  /** Of uploads under way. */
  #reserved = 0;

  constructor(library: LiveLibrary) {
    this.#library = library;
  }

  /**
   * Keep room for an upload, until the function that is returned is called.
   *
   * @throws {VerdantError} TooLarge (4130) where the library would have more than its quota.
   */
  async reserve({ id, size }: { id: string; size: number }): Promise<() => void> {
    const { fileQuota } = this.#library.services.settings;
    const quota = typeof fileQuota === 'function' ? await fileQuota(this.#library.id) : fileQuota;
    if (quota === null) return () => {};
    const fits = await this.#library.exclusively(async () => {
      const others = (await this.#bytes()) - sizeOf(await this.#library.storage.readFile(id));
      if (others + this.#reserved + size > quota) return false;
      this.#reserved += size;
      return true;
    });
    if (!fits) throw overQuota(quota);
    return () => {
      this.#reserved -= size;
    };
  }

  /** Put or remove a record. To be called alone, between batches. */
  async record(id: string, row: FileRow | null): Promise<void> {
    const { state } = this.#library;
    const before = this.#recorded && (await this.#library.storage.readFile(id));
    await this.#library.commit({
      head: { ...state.head, version: state.head.version + 1 },
      ...(row ? { files: [row] } : { removeFiles: [id] }),
    });
    if (this.#recorded) this.#recorded.bytes += sizeOf(row) - sizeOf(before);
  }

  async #bytes(): Promise<number> {
    const { state, storage } = this.#library;
    if (this.#recorded?.state !== state) {
      let bytes = 0;
      for await (const page of storage.readFiles()) for (const row of page) bytes += sizeOf(row);
      this.#recorded = { state, bytes };
    }
    return this.#recorded.bytes;
  }
}

const sizeOf = (row: FileRow | null): number => row?.size ?? 0;

const overQuota = (quota: number) =>
  new VerdantError(
    VerdantErrorCode.TooLarge,
    `The files of this library may have ${quota} bytes together; with this one they would have more.`,
  );
