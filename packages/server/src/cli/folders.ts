import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from './options.js';

/** Makes sure that data can be kept where the options say, before anyone connects. */
export const prepareFolders = async ({
  database,
  files,
}: {
  database: string;
  files: string;
}): Promise<void> => {
  await makeWritable(dirname(resolve(database)), 'the database', '--database');
  await makeWritable(resolve(files), 'uploaded files', '--files');
};

/** Tried rather than looked up: permissions do not tell of a full or read-only disk. */
const makeWritable = async (folder: string, purpose: string, option: string) => {
  const probe = join(folder, `.verdant-probe-${process.pid}`);
  try {
    await makeFolder(folder);
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'it is not a folder' : code;
    throw new UsageError(
      `The folder for ${purpose}, ${folder}, cannot be written to (${reason}). ${option} sets another.`,
    );
  }
};

/** Not `mkdir` with `recursive`, which never returns where a file system answers ENOENT to every try, as /proc does. */
const makeFolder = async (folder: string): Promise<void> => {
  if ((await stat(folder).catch(() => undefined))?.isDirectory()) return;
  try {
    await mkdir(folder);
  } catch (error) {
    const isOrphan = (error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(folder) !== folder;
    if (!isOrphan) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder);
  }
};
