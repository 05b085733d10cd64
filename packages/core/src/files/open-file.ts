import { type LibraryId, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { LibraryRegistry } from '../library/registry.js';
import type { FileLocation, FileStorage, OpenedBytes, StoredFile } from './file-storage.js';

/** A file that is about to be sent. Ended by reading it to the end, by cancelling the stream, or by `close`. */
export interface OpenedFile extends StoredFile, OpenedBytes {
  /** When (ms) the URL that it was opened by stops working; null: never. */
  expiresAt: number | null;
}

/** A file storage that can give bytes back. */
export type OpeningStorage = FileStorage & Required<Pick<FileStorage, 'open'>>;

/**
 * Open the file that the path of a URL stands for. Its bytes are looked for before its record, so that somebody who tries
 * URLs opens no libraries.
 */
export async function openFile(
  registry: LibraryRegistry,
  fileStorage: OpeningStorage,
  path: string,
): Promise<OpenedFile> {
  const location = fileStorage.locate ? fileStorage.locate(path) : locateBySegments(path);
  if (!location) throw noSuchFile();
  const { id, libraryId, name, expiresAt } = location;
  const bytes = await fileStorage.open({ id, libraryId, name, type: '' });
  if (!bytes) throw noSuchFile();
  try {
    const row = await registry.use(libraryId, (library) => library.storage.readFile(id));
    if (row?.name !== name) throw noSuchFile();
    const { size, modifiedAt, version } = bytes;
    return {
      ...{ id, libraryId, name, type: row.type, size, modifiedAt, version, expiresAt },
      read: (range) => bytes.read(range),
      close: () => bytes.close(),
    };
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

const noSuchFile = () => new VerdantError(VerdantErrorCode.NotFound, 'There is no such file.');

const locateBySegments = (path: string): FileLocation | null => {
  const segments = path
    .replace(/[?#].*$/s, '')
    .split('/')
    .filter((segment) => segment !== '');
  if (segments.length !== 3) return null;
  try {
    const [libraryId = '', id = '', name = ''] = segments.map(decodeURIComponent);
    return { libraryId: libraryId as LibraryId, id, name, expiresAt: null };
  } catch {
    return null;
  }
};
