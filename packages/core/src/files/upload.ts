import {
  mayWrite,
  type ReplicaType,
  type UserId,
  VerdantError,
  VerdantErrorCode,
} from '@verdant-web/protocol';
import type { LiveLibrary } from '../library/live-library.js';
import type { FileStorage, IncomingFile } from './file-storage.js';

const MAX_FILE_ID_LENGTH = 512;
const MAX_NAME_LENGTH = 1_024;
/** What RFC 6838 allows without parameters. */
const MAX_TYPE_LENGTH = 255;

/** What an upload is said to be. */
export interface UploadedFile {
  id: string;
  name: string;
  type: string;
  /** How many bytes will come. */
  size: number;
}

/**
 * Store an upload: its bytes, then its record. Resolves when both are durable. An upload of the same file that is
 * under way is given up: whoever sends it again has lost the earlier one, and does not wait for what is left of it.
 */
export async function storeUpload(
  library: LiveLibrary,
  caller: { userId: UserId; type: ReplicaType },
  upload: UploadedFile,
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  const { fileStorage, events, settings } = library.services;
  if (!fileStorage) throw noFileStorage();
  if (!mayWrite(caller.type)) {
    throw new VerdantError(VerdantErrorCode.Forbidden, 'This token is read-only: it may not upload files.');
  }
  const file = { ...checked(upload, settings.limits.maxFileBytes), libraryId: library.id };
  await library.files.turns.take(file.id, async (signal) => {
    if (signal.aborted) throw superseded();
    const release = await library.files.reserve(file);
    try {
      const { epoch } = library.state.head;
      await fileStorage.put(file, body.pipeThrough(exactly(file.size, signal)));
      await record(library, fileStorage, file, epoch);
    } finally {
      release();
    }
  });
  library.log.debug?.({ userId: caller.userId, fileId: file.id }, 'A file is stored.');
  events.emit('fileUploaded', {
    libraryId: library.id,
    userId: caller.userId,
    fileId: file.id,
    name: file.name,
    type: file.type,
  });
}

/** The error where the server was set up without a file storage. */
export const noFileStorage = (): VerdantError =>
  new VerdantError(
    VerdantErrorCode.NoFileStorage,
    'This server keeps no files: it was set up without a fileStorage.',
  );

const checked = ({ id, name, type, size }: UploadedFile, maxBytes: number): UploadedFile => {
  if (id.length === 0 || id.length > MAX_FILE_ID_LENGTH) {
    throw invalid(`A file id has 1 to ${MAX_FILE_ID_LENGTH} characters.`);
  }
  if (!Number.isSafeInteger(size) || size < 0) throw invalid('The size of a file is a number of bytes.');
  if (size > maxBytes) {
    throw new VerdantError(
      VerdantErrorCode.TooLarge,
      `A file may have up to ${maxBytes} bytes; this one has ${size}.`,
    );
  }
  return {
    id,
    // Where a pair is cut in two, the half would fit into no URL.
    name: name.slice(0, MAX_NAME_LENGTH).replace(/\p{Surrogate}/gu, '\ufffd'),
    // Cut, it would be another type.
    type: type.length > MAX_TYPE_LENGTH || type === '' ? 'application/octet-stream' : type,
    size,
  };
};

const record = async (library: LiveLibrary, fileStorage: FileStorage, file: IncomingFile, epoch: number) => {
  const { id, name, type, size } = file;
  try {
    const recorded = await library.exclusively(async () => {
      if (library.state.head.epoch !== epoch) return false;
      await library.files.record(id, { id, name, type, size, pendingDeleteAt: null });
      return true;
    });
    if (!recorded) throw evicted();
  } catch (error) {
    // Bytes without a record are found by nobody. Whether it was stored after all, the storage knows.
    const row = await library.storage.readFile(id).catch(() => undefined);
    if (row === null) {
      await fileStorage.delete(file).catch((cause: unknown) => {
        library.log.error?.(
          { fileId: id, err: cause },
          'The bytes of a file that was not recorded could not be deleted.',
        );
      });
    }
    throw error;
  }
};

/** As many bytes as were announced, or an error: a storage may have told its disk or bucket how many there will be. */
const exactly = (size: number, signal: AbortSignal): TransformStream<Uint8Array, Uint8Array> => {
  let left = size;
  return new TransformStream({
    start(controller) {
      const giveUp = () => controller.error(superseded());
      if (signal.aborted) giveUp();
      else signal.addEventListener('abort', giveUp, { once: true });
    },
    transform(chunk, controller) {
      left -= chunk.byteLength;
      if (left < 0) throw invalid(`The file was announced with ${size} bytes; it has more.`);
      controller.enqueue(chunk);
    },
    flush() {
      if (left > 0) throw invalid(`The file was announced with ${size} bytes; ${left} of them did not come.`);
    },
  });
};

const invalid = (message: string) => new VerdantError(VerdantErrorCode.InvalidRequest, message);

const superseded = () =>
  new VerdantError(VerdantErrorCode.Busy, 'The same file is being uploaded again; that upload counts.', {
    retryAfter: 1,
  });

const evicted = () =>
  new VerdantError(
    VerdantErrorCode.Busy,
    'The library was evicted during the upload. Sync, then upload again.',
    { retryAfter: 1 },
  );
