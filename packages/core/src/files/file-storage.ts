import type { LibraryId } from '@verdant-web/protocol';

/** A file as the engine knows it. `id` and `name` are client input: never a path as they are. */
export interface StoredFile {
  id: string;
  libraryId: LibraryId;
  /** The name that the file had on the user's device, for display. */
  name: string;
  /** Media type as the client gave it; `application/octet-stream` where it gave none. */
  type: string;
}

/**
 * Keeps the bytes of uploaded files.
 *
 * The engine records a file only after `put` has resolved, and forgets it only after `delete` has.
 */
export interface FileStorage {
  /**
   * Store the bytes, replacing any earlier ones of the same library and id. Resolves when they are durable.
   * When `body` errors (the client left, or a limit was passed), nothing of it remains and the promise rejects.
   */
  put(file: StoredFile, body: ReadableStream<Uint8Array>): Promise<void>;
  /** Where a client may fetch the bytes: an absolute URL, escaped. */
  getUrl(file: StoredFile): string | Promise<string>;
  /** Delete the bytes. A file that is not there is no error. */
  delete(file: StoredFile): Promise<void>;
}
