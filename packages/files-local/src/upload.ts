import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes a stream of `size` bytes to a new file in `folder` and resolves with its path, once the bytes are on disk.
 *
 * Reads no faster than the disk takes it. On any failure, another number of bytes included, the file is gone, the stream
 * is cancelled and the promise rejects.
 */
export const receiveUpload = async (
  body: ReadableStream<Uint8Array>,
  folder: string,
  size: number,
): Promise<string> => {
  const reader = body.getReader();
  const path = join(folder, randomUUID());
  try {
    await writeNewFile(path, reader, size);
    return path;
  } catch (error) {
    // Not awaited: a source that never answers must not keep the caller waiting. Its own failure adds nothing.
    reader.cancel(error).catch(() => {});
    // What cannot be removed now goes with the abandoned uploads; the first error is the one to tell of.
    await rm(path, { force: true }).catch(() => {});
    throw error;
  }
};

const writeNewFile = async (path: string, reader: ReadableStreamDefaultReader<Uint8Array>, size: number) => {
  const handle = await open(path, 'wx');
  try {
    await copy(reader, handle, size);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const copy = async (reader: ReadableStreamDefaultReader<Uint8Array>, handle: FileHandle, size: number) => {
  let total = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    // Anything else has no length to hold the limit against.
    if (!ArrayBuffer.isView(next.value))
      throw new TypeError('A file body must be a stream of Uint8Array chunks.');
    total += next.value.byteLength;
    if (total > size)
      throw new TypeError(`The file body has more than the ${size} bytes that were announced.`);
    // Unlike `write`, this writes the whole chunk; it goes on where the last one ended.
    await handle.writeFile(next.value);
  }
  if (total < size) throw new TypeError(`The file body has ${total} bytes; ${size} were announced.`);
};
