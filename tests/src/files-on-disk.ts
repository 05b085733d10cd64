import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Every file below an app's folder of files, halves of uploads included. */
export async function filesOnDisk(app: { directory: string }): Promise<string[]> {
  const folder = join(app.directory, 'files');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
