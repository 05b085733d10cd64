import { type FileHandle, mkdir, open, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it that are missing, so that they are still there after a power cut.
 * Does nothing where it exists.
 */
export const makeFolder = async (path: string): Promise<void> => {
  const firstMade = await mkdir(path, { recursive: true });
  if (firstMade === undefined) return;
  for (let made = path; made.length >= firstMade.length; made = dirname(made))
    await syncFolder(dirname(made));
};

/**
 * Puts a folder's entries on disk: a rename or removal in it survives a power cut only after this.
 * A folder that is gone by now has none. Windows has no such call on folders; there the file system's own journal has
 * to do.
 */
export const syncFolder = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return;
  const handle = await openIfThere(path);
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
};

/** Removes a folder that has nothing in it. Whether it is gone. */
export const removeWhenEmpty = async (folder: string): Promise<boolean> => {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    // Systems differ in how they say "not empty".
    if (['ENOTEMPTY', 'EEXIST', 'EPERM', 'EBUSY'].includes(code ?? '')) return false;
    throw error;
  }
};

const openIfThere = (path: string): Promise<FileHandle | undefined> =>
  open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
