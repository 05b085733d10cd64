import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/**
 * Writes a stream to a new file in `folder` and resolves with its path, once the bytes are on disk.
 *
 * Reads no faster than the disk takes it. On any failure the file is gone, the stream is cancelled and the promise
 * rejects: with TooLarge (4130) beyond `maxBytes`, else with what the stream or the disk said.
 */
export const receiveUpload = async (
  body: ReadableStream<Uint8Array>,
  folder: string,
  maxBytes: number,
): Promise<string> => {
  const reader = body.getReader();
  const path = join(folder, randomUUID());
  try {
    await writeNewFile(path, reader, maxBytes);
    return path;
  } catch (error) {
    // Not awaited: a source that never answers must not keep the caller waiting. Its own failure adds nothing.
    reader.cancel(error).catch(() => {});
    // What cannot be removed now goes with the abandoned uploads; the first error is the one to tell of.
    await rm(path, { force: true }).catch(() => {});
    throw error;
  }
};

const writeNewFile = async (
  path: string,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
) => {
  const handle = await open(path, 'wx');
  try {
    await copy(reader, handle, maxBytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const copy = async (
  reader: ReadableStreamDefaultReader<Uint8Array>,
  handle: FileHandle,
  maxBytes: number,
) => {
  let total = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    // Anything else has no length to hold the limit against.
    if (!ArrayBuffer.isView(next.value))
      throw new TypeError('A file body must be a stream of Uint8Array chunks.');
    total += next.value.byteLength;
    if (total > maxBytes) {
      throw new VerdantError(VerdantErrorCode.TooLarge, `The file is larger than ${maxBytes} bytes.`);
    }
    // Unlike `write`, this writes the whole chunk; it goes on where the last one ended.
    await handle.writeFile(next.value);
  }
};
