import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type {
  FileInventory,
  FileLocation,
  FileStorage,
  IncomingFile,
  OpenedBytes,
  StoredFile,
} from '@verdant-web/core';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { makeFolder, removeWhenEmpty, syncFolder } from './durable-folder.js';
import { filePath } from './file-path.js';
import { fileUrl, readFileUrl } from './file-url.js';
import { OneAtATime } from './one-at-a-time.js';
import { openForReading } from './opened-file.js';
import { openRootFolder, type RootFolder } from './root-folder.js';
import { removeStoredFile, storedFiles } from './stored-files.js';
import { receiveUpload } from './upload.js';
import { type SignedUrlOptions, UrlSigner } from './url-signature.js';

/** How to make a {@link LocalFileStorage}. */
export interface LocalFileStorageOptions {
  /** The folder to keep files in; made where it is missing. A relative path starts at the working directory. */
  rootDirectory: string;
  /**
   * Absolute http(s) URL under which your app serves `rootDirectory`, as the client reaches it:
   * `https://example.com/files`. A trailing slash makes no difference.
   */
  host: string;
  /**
   * Largest file that is accepted, in bytes. Default: 100 MiB. `Infinity` leaves the limit to what stands before it,
   * and to the disk.
   */
  maxFileBytes?: number;
  /**
   * Make URLs that work for a time only, and for nobody who was not given them. They need `serveFiles`, which checks
   * them; `serveStatic` does not. Default: URLs work as long as the file is there.
   */
  signedUrls?: SignedUrlOptions;
}

const DEFAULT_MAX_FILE_BYTES = 100 * 1024 * 1024;

/**
 * Keeps uploaded files in a folder of the server's disk, as `<rootDirectory>/<library>/<file id>/<name>`. Your app
 * serves that folder at `host`.
 *
 * An upload is written aside and moves in when it is whole and on disk: readers and restarts see the earlier file
 * or the new one, never a part. Several processes may share a folder on one disk.
 *
 * @example
 * ```ts
 * const core = createVerdant({
 *   fileStorage: new LocalFileStorage({ rootDirectory: 'verdant-files', host: 'https://example.com/files' }),
 *   // …
 * });
 *
 * app.get(
 *   '/files/*',
 *   serveStatic({ root: 'verdant-files', rewriteRequestPath: (path) => path.replace('/files/', '') }),
 * );
 * ```
 */
export class LocalFileStorage implements FileStorage {
  readonly #folder: RootFolder;
  readonly #host: string;
  readonly #maxFileBytes: number;
  readonly #signer: UrlSigner | null;
  /** By library folder: a delete takes an empty library's folder away, under the feet of a file that is moving in. */
  readonly #changes = new OneAtATime();

  /**
   * Makes the folder, and clears out what a crash left of uploads.
   *
   * @throws {VerdantError} Configuration (5010) where the folder cannot be made or written to, `host` is no absolute
   *   http(s) URL, `maxFileBytes` is no positive number, or a secret of `signedUrls` is missing or short. The message
   *   says which.
   */
  constructor({
    rootDirectory,
    host,
    maxFileBytes = DEFAULT_MAX_FILE_BYTES,
    signedUrls,
  }: LocalFileStorageOptions) {
    this.#host = hostOf(host);
    this.#maxFileBytes = limitOf(maxFileBytes);
    this.#signer = signedUrls ? new UrlSigner(signedUrls) : null;
    this.#folder = openRootFolder(rootDirectory);
  }

  /**
   * Stores the bytes, and removes those that the same id had before under whatever name.
   *
   * @throws {VerdantError} TooLarge (4130) beyond `maxFileBytes`, before a byte of it is read.
   */
  async put(file: IncomingFile, body: ReadableStream<Uint8Array>): Promise<void> {
    if (file.size > this.#maxFileBytes) {
      const error = tooLarge(this.#maxFileBytes);
      // Not awaited: a source that never answers must not keep the caller waiting.
      body.cancel(error).catch(() => {});
      throw error;
    }
    const upload = await receiveUpload(body, this.#folder.uploads, file.size);
    try {
      await this.#changes.run(folderOf(file), () => moveIn(upload, this.#pathOf(file)));
    } catch (error) {
      await rm(upload, { force: true }).catch(() => {});
      throw error;
    }
  }

  /**
   * `host`, then the file's path below the root folder, and in the query what the path does not show. Signed, where that
   * was chosen. Does not look whether the file is there.
   */
  getUrl(file: StoredFile): string {
    return fileUrl(this.#host, file, this.#signer);
  }

  /** What a URL of `getUrl` stands for, by what is behind `host`. */
  locate(path: string): FileLocation | null {
    return readFileUrl(path, this.#signer);
  }

  /** The bytes, and nothing of any later ones. */
  open(file: StoredFile): Promise<OpenedBytes | null> {
    return openForReading(this.#pathOf(file));
  }

  /** Deletes the bytes, and the library's folder with its last file. */
  delete(file: StoredFile): Promise<void> {
    return this.#changes.run(folderOf(file), () => removeFile(this.#folder.root, this.#pathOf(file)));
  }

  /** All files in the folder, and halves of uploads. */
  readonly inventory: FileInventory = {
    keyOf: (file) => filePath(file).join('/'),
    list: () => storedFiles(this.#folder),
    remove: (found) =>
      this.#changes.run(found.key.split('/')[0] ?? '', () => removeStoredFile(this.#folder.root, found)),
  };

  #pathOf(file: StoredFile): string {
    return join(this.#folder.root, ...filePath(file));
  }
}

const folderOf = (file: StoredFile): string => filePath(file)[0];

const moveIn = async (upload: string, path: string) => {
  const folder = dirname(path);
  const earlier = await replace(upload, path);
  await syncFolder(folder);
  for (const name of earlier) await rm(join(folder, name), { recursive: true, force: true });
};

/**
 * Renames the upload, and tells what other names were in its folder just before. Not what is there after: two processes
 * that put one id under two names would each take the other's away, and none would be left.
 *
 * Tries again when another process has removed the library's folder, empty until then, in between.
 */
const replace = async (upload: string, path: string, attempts = 5): Promise<string[]> => {
  const folder = dirname(path);
  try {
    await makeFolder(folder);
    const names = await readdir(folder);
    await rename(upload, path);
    return names.filter((name) => name !== basename(path));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || attempts === 1) throw error;
    return replace(upload, path, attempts - 1);
  }
};

const removeFile = async (root: string, path: string) => {
  const folder = dirname(path);
  const library = dirname(folder);
  await rm(folder, { recursive: true, force: true });
  await syncFolder((await removeWhenEmpty(library)) ? root : library);
};

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const hostOf = (host: string): string => {
  const url =
    typeof host === 'string' && /^https?:\/\//i.test(host) && URL.canParse(host) ? new URL(host) : undefined;
  if (!url || url.search || url.hash) {
    throw new VerdantError(
      VerdantErrorCode.Configuration,
      'LocalFileStorage needs a host: the absolute http(s) URL under which your app serves the folder, ' +
        `as in https://example.com/files, without query or hash. It is ${JSON.stringify(host) ?? 'missing'}.`,
    );
  }
  return url.href.replace(/\/+$/, '');
};

const tooLarge = (maxBytes: number) =>
  new VerdantError(VerdantErrorCode.TooLarge, `The file is larger than ${maxBytes} bytes.`);

const limitOf = (maxFileBytes: number): number => {
  if (typeof maxFileBytes !== 'number' || !(maxFileBytes > 0)) {
    throw new VerdantError(
      VerdantErrorCode.Configuration,
      'maxFileBytes of LocalFileStorage must be a positive number of bytes, or Infinity.',
    );
  }
  return maxFileBytes;
};
