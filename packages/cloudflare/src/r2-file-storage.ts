import type {
  FileInventory,
  FileStorage,
  FoundBytes,
  IncomingFile,
  OpenedBytes,
  StoredFile,
} from '@verdant-web/core';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { fileKey, segmentOf } from './file-key.js';
import { metadataOf } from './file-metadata.js';
import { fixedLength } from './fixed-length.js';
import type { Bucket } from './r2-platform.js';
import { readObject } from './read-object.js';

/** How to make an {@link R2FileStorage}. */
export interface R2FileStorageOptions {
  /** The bucket: a binding of your worker. */
  bucket: Bucket;
  /** Absolute http(s) URL under which your worker serves the bucket, with `serveR2Files`: `https://example.com/files`. */
  host: string;
  /** What the keys begin with, such as `verdant/`, where the bucket holds other things too. Default: nothing. */
  prefix?: string;
  /** Largest file that is accepted, in bytes. Default: 100 MiB, about what Cloudflare lets through in one request. */
  maxFileBytes?: number;
}

const DEFAULT_MAX_FILE_BYTES = 100 * 1024 * 1024;

/**
 * Keeps uploaded files in an R2 bucket, as `<prefix><library>/<file id>`, with name and type in their metadata.
 *
 * @example
 * ```ts
 * new DurableObjectLibrary(this.ctx, {
 *   tokenSecret: this.env.TOKEN_SECRET,
 *   fileStorage: new R2FileStorage({ bucket: this.env.FILES, host: 'https://example.com/files' }),
 * });
 * ```
 */
export class R2FileStorage implements FileStorage {
  readonly #bucket: Bucket;
  readonly #host: string;
  readonly #prefix: string;
  readonly #maxFileBytes: number;

  /** @throws {VerdantError} Configuration (5010) where an option is missing or wrong; the message says which. */
  constructor({ bucket, host, prefix = '', maxFileBytes = DEFAULT_MAX_FILE_BYTES }: R2FileStorageOptions) {
    if (typeof bucket?.put !== 'function')
      throw wrong("bucket has to be an R2 bucket: add one to the worker's r2_buckets");
    if (typeof maxFileBytes !== 'number' || !(maxFileBytes > 0))
      throw wrong('maxFileBytes has to be a positive number of bytes');
    this.#bucket = bucket;
    this.#host = hostOf(host);
    this.#prefix = prefix;
    this.#maxFileBytes = maxFileBytes;
  }

  /**
   * Stores the bytes, in place of those that the same id had before.
   *
   * @throws {VerdantError} TooLarge (4130) beyond `maxFileBytes`, before a byte of it is read.
   */
  async put(file: IncomingFile, body: ReadableStream<Uint8Array>): Promise<void> {
    if (file.size > this.#maxFileBytes) {
      const error = new VerdantError(
        VerdantErrorCode.TooLarge,
        `The file is larger than ${this.#maxFileBytes} bytes.`,
      );
      body.cancel(error).catch(() => {});
      throw error;
    }
    // R2 wants to know the length before, and stores nothing where the bytes break off.
    const { readable, writable } = fixedLength(file.size);
    const piping = body.pipeTo(writable);
    // Whichever fails first says why; the other one fails with it.
    const [piped, stored] = await Promise.allSettled([
      piping,
      this.#bucket.put(this.#keyOf(file), readable, metadataOf(file)),
    ]);
    if (piped.status === 'rejected') throw piped.reason;
    if (stored.status === 'rejected') throw stored.reason;
  }

  /** `host`, then library, id and name. Does not look whether the file is there. */
  getUrl(file: StoredFile): string {
    return `${this.#host}/${fileKey(file)}/${segmentOf(file.name)}`;
  }

  /** Does nothing where there is no such object. */
  async delete(file: StoredFile): Promise<void> {
    await this.#bucket.delete(this.#keyOf(file));
  }

  /** The bytes, and nothing of any later ones. */
  async open(file: StoredFile): Promise<OpenedBytes | null> {
    const head = await this.#bucket.head(this.#keyOf(file));
    return head && readObject(this.#bucket, head);
  }

  /** All that is in the bucket, below `prefix`. */
  readonly inventory: FileInventory = {
    keyOf: (file) => this.#keyOf(file),
    list: () => this.#list(),
    remove: async ({ key, modifiedAt }) => {
      const head = await this.#bucket.head(key);
      if (head && head.uploaded.getTime() <= modifiedAt) await this.#bucket.delete(key);
    },
  };

  async *#list(): AsyncIterable<FoundBytes> {
    let cursor: string | undefined;
    do {
      const page = await this.#bucket.list({ prefix: this.#prefix, ...(cursor !== undefined && { cursor }) });
      for (const { key, size, uploaded } of page.objects) yield { key, size, modifiedAt: uploaded.getTime() };
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
  }

  #keyOf(file: StoredFile): string {
    return this.#prefix + fileKey(file);
  }
}

const hostOf = (host: string): string => {
  const url =
    typeof host === 'string' && /^https?:\/\//i.test(host) && URL.canParse(host) ? new URL(host) : undefined;
  if (url && !url.search && !url.hash) return url.href.replace(/\/+$/, '');
  throw wrong(
    'host has to be the absolute http(s) URL under which your worker serves the bucket, ' +
      `as in https://example.com/files, without query or hash. It is ${JSON.stringify(host) ?? 'missing'}`,
  );
};

const wrong = (problem: string) =>
  new VerdantError(VerdantErrorCode.Configuration, `R2FileStorage: ${problem}.`);
