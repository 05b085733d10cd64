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

/** A file that is to be stored. */
export interface IncomingFile extends StoredFile {
  /** How many bytes there are. The body gives exactly as many, or errors. */
  size: number;
}

/**
 * Keeps the bytes of uploaded files.
 *
 * The engine records a file only after `put` has resolved, and forgets it only after `delete` has. It never puts or
 * deletes one file twice at a time; other processes may.
 *
 * What is optional are capabilities: `open` is for `serveFiles`, `inventory` for `core.files.deleteOrphans`.
 * Implementations are proven by the suite of `@verdant-web/testkit/files`.
 */
export interface FileStorage {
  /**
   * Store the bytes, replacing any earlier ones of the same library and id. Resolves when they are durable.
   * When `body` errors (the client left, or sent something else than it announced), nothing of it remains, what was
   * stored before is still there, and the promise rejects.
   */
  put(file: IncomingFile, body: ReadableStream<Uint8Array>): Promise<void>;
  /** Where a client may fetch the bytes: an absolute URL, escaped. */
  getUrl(file: StoredFile): string | Promise<string>;
  /** Delete the bytes. A file that is not there is no error. */
  delete(file: StoredFile): Promise<void>;

  /** The bytes, for `serveFiles` to send; null: there are none. `type` may be empty. */
  open?(file: StoredFile): Promise<OpenedBytes | null>;
  /**
   * What a URL of {@link getUrl} stands for; null: it is none. `path` is what is behind the address where `serveFiles` is
   * mounted: `/library/id/name`, with the query. A signed URL is verified here.
   * Without this method the path has these three segments, escaped, in this order.
   *
   * @throws {VerdantError} Forbidden (4030) where the URL's time is over or its signature is wrong.
   */
  locate?(path: string): FileLocation | null;
  readonly inventory?: FileInventory;
}

/** What a URL stands for. */
export interface FileLocation {
  libraryId: LibraryId;
  id: string;
  name: string;
  /** When (ms) the URL stops working; null: never. */
  expiresAt: number | null;
}

/** The bytes of one file, all of one upload. Ended by reading to the end, by cancelling the stream, or by `close`. */
export interface OpenedBytes {
  size: number;
  /** Wall-clock ms. */
  modifiedAt: number;
  /** Differs from that of any other bytes that this file ever had. Printable ASCII without quotes. */
  version: string;
  /** The bytes from `from` to `to`, both included; all where neither is given. Called once at most. */
  read(range?: { from: number; to: number }): ReadableStream<Uint8Array>;
  /** Lets go of them unread. */
  close(): Promise<void>;
}

/** All that a storage holds, whether or not anybody has a record of it. */
export interface FileInventory {
  /** The name under which {@link list} has this file. */
  keyOf(file: StoredFile): string;
  /** Everything, half uploads included, in any order. */
  list(): AsyncIterable<FoundBytes>;
  /** Delete what {@link list} found, unless it was replaced since. That it is gone is no error. */
  remove(found: FoundBytes): Promise<void>;
}

/** One entry of a {@link FileInventory}. */
export interface FoundBytes {
  key: string;
  size: number;
  /** When (wall-clock ms) the bytes were stored. */
  modifiedAt: number;
}
