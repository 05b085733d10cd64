import { mkdir, rm, writeFile } from 'node:fs/promises';
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
    await mkdir(folder, { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `The folder for ${purpose}, ${folder}, cannot be written to (${code}). ${option} sets another.`,
    );
  }
};
