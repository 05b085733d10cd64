import { type FileHandle, open } from 'node:fs/promises';
import type { OpenedBytes } from '@verdant-web/core';

/** Small enough to follow a slow reader, large enough that the calls do not count. */
const CHUNK_BYTES = 64 * 1024;

/** Opens a file for reading; null where there is none. What is moved to its place afterwards is another file. */
export const openForReading = async (path: string): Promise<OpenedBytes | null> => {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (!handle) return null;
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) {
      await handle.close();
      return null;
    }
    const size = Number(stats.size);
    return {
      size,
      modifiedAt: Number(stats.mtimeMs),
      version: `${stats.mtimeNs.toString(36)}-${stats.ino.toString(36)}-${size.toString(36)}`,
      read: ({ from, to } = { from: 0, to: size - 1 }) => streamOf(handle, from, to),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
};

/** Reads when it is asked to, and closes the file at the end, on a failure, or when the reader has gone. */
const streamOf = (handle: FileHandle, from: number, to: number): ReadableStream<Uint8Array> => {
  let at = from;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    try {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, to + 1 - at));
      const { bytesRead } =
        chunk.length === 0 ? { bytesRead: 0 } : await handle.read(chunk, { position: at });
      if (bytesRead === 0 && chunk.length > 0) throw new Error('The file became shorter while it was read.');
      at += bytesRead;
      if (bytesRead > 0) controller.enqueue(chunk.subarray(0, bytesRead));
      if (at <= to) return;
      controller.close();
      await handle.close();
    } catch (error) {
      controller.error(error);
      await handle.close();
    }
  };
  return new ReadableStream({ pull, cancel: () => handle.close() }, { highWaterMark: 0 });
};
