import {
  mayWrite,
  type ReplicaType,
  type UserId,
  VerdantError,
  VerdantErrorCode,
} from '@verdant-web/protocol';
import type { LiveLibrary } from '../library/live-library.js';
import type { StoredFile } from './file-storage.js';

const MAX_FILE_ID_LENGTH = 512;
const MAX_NAME_LENGTH = 1_024;
const MAX_TYPE_LENGTH = 256;

/** Store an upload: its bytes, then its record. Resolves when both are durable. */
export async function storeUpload(
  library: LiveLibrary,
  caller: { userId: UserId; type: ReplicaType },
  { id, name, type }: { id: string; name: string; type: string },
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  const { fileStorage, events, settings } = library.services;
  if (!fileStorage) throw noFileStorage();
  if (!mayWrite(caller.type)) {
    throw new VerdantError(VerdantErrorCode.Forbidden, 'This token is read-only: it may not upload files.');
  }
  if (id.length === 0 || id.length > MAX_FILE_ID_LENGTH) {
    throw new VerdantError(
      VerdantErrorCode.InvalidRequest,
      `A file id has 1 to ${MAX_FILE_ID_LENGTH} characters.`,
    );
  }
  const file: StoredFile = {
    id,
    libraryId: library.id,
    name: name.slice(0, MAX_NAME_LENGTH),
    type: type.slice(0, MAX_TYPE_LENGTH) || 'application/octet-stream',
  };
  const { epoch } = library.state.head;
  await fileStorage.put(file, body.pipeThrough(limitBytes(settings.limits.maxFileBytes)));
  const recorded = await library.exclusively(async () => {
    const { head } = library.state;
    if (head.epoch !== epoch) return false;
    await library.commit({
      head: { ...head, version: head.version + 1 },
      files: [{ id, name: file.name, type: file.type, pendingDeleteAt: null }],
    });
    return true;
  });
  if (!recorded) {
    await fileStorage.delete(file);
    throw new VerdantError(
      VerdantErrorCode.Busy,
      'The library was evicted during the upload. Sync, then upload again.',
      {
        retryAfter: 1,
      },
    );
  }
  library.log.debug?.({ userId: caller.userId, fileId: id }, 'A file is stored.');
  events.emit('fileUploaded', {
    libraryId: library.id,
    userId: caller.userId,
    fileId: id,
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

function limitBytes(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        controller.error(
          new VerdantError(
            VerdantErrorCode.TooLarge,
            `A file may have up to ${maxBytes} bytes; this one has more.`,
          ),
        );
      } else controller.enqueue(chunk);
    },
  });
}
