import { opendir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FoundBytes } from '@verdant-web/core';
import { removeWhenEmpty } from './durable-folder.js';
import { isPathComponent } from './file-path.js';
import type { RootFolder } from './root-folder.js';

/** Every file in the folder, half uploads included. What is not of this package's making is passed over. */
export async function* storedFiles({ root, uploads }: RootFolder): AsyncIterable<FoundBytes> {
  for await (const library of namesIn(root)) {
    for await (const id of namesIn(join(root, library)))
      for await (const name of namesIn(join(root, library, id))) {
        const found = await foundAt(root, `${library}/${id}/${name}`);
        if (found) yield found;
      }
  }
  for await (const name of namesIn(uploads)) {
    const found = await foundAt(root, `${UPLOADS}/${name}`);
    if (found) yield found;
  }
}

/** Removes a file that {@link storedFiles} found, and the folders that it leaves empty, unless it was replaced since. */
export const removeStoredFile = async (root: string, { key, modifiedAt }: FoundBytes): Promise<void> => {
  const now = await foundAt(root, key);
  if (now?.modifiedAt !== modifiedAt) return;
  const path = join(root, key);
  await rm(path, { force: true });
  if (key.startsWith(`${UPLOADS}/`)) return;
  await removeWhenEmpty(dirname(path));
  await removeWhenEmpty(dirname(dirname(path)));
};

const UPLOADS = '.tmp';

/** Null: it is no file, or not one of ours. */
const foundAt = async (root: string, key: string): Promise<FoundBytes | null> => {
  const [folder = '', ...names] = key.split('/');
  const isOurs = folder === UPLOADS ? names.length === 1 : names.length === 2 && isPathComponent(folder);
  if (!isOurs || !names.every(isPathComponent)) return null;
  const stats = await stat(join(root, key)).catch(whenGone);
  return stats?.isFile() ? { key, size: stats.size, modifiedAt: stats.mtimeMs } : null;
};

async function* namesIn(folder: string): AsyncIterable<string> {
  const entries = await opendir(folder).catch(whenGone);
  if (!entries) return;
  for await (const { name } of entries) if (isPathComponent(name)) yield name;
}

/** Files come and go while they are listed. */
const whenGone = (error: NodeJS.ErrnoException): null => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
};
