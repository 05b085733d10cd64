import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LocalFileStorage } from '@verdant-web/files-local';
import type { LibraryId } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { removeFolder, temporaryFolder } from './server.js';

/* The script of docs/migrating.md, on files that the original server has written. */
const repository = fileURLToPath(new URL('../..', import.meta.url));

/** The file storage of the original server, which is run and not read. */
interface OriginalFiles {
  put(bytes: Readable, file: object): Promise<void>;
}

/** Where the original server put these files. */
async function originalFolder(files: readonly StoredText[]): Promise<string> {
  const entry = join(repository, 'tests/node_modules/verdant-server-original/dist/esm/index.js');
  const { LocalFileStorage: Original } = (await import(/* @vite-ignore */ entry)) as {
    LocalFileStorage: new (options: object) => OriginalFiles;
  };
  const rootDirectory = await temporaryFolder();
  const original = new Original({ rootDirectory, host: 'http://localhost/files' });
  for (const { text, ...file } of files) {
    await original.put(Readable.from([Buffer.from(text)]), { ...file, fileName: file.name });
    // It does not wait until the bytes are there.
    const path = join(rootDirectory, file.libraryId, file.id, file.name);
    await expect.poll(() => readFile(path, 'utf8').catch(() => null), { timeout: 20_000 }).toBe(text);
  }
  return rootDirectory;
}

interface StoredText {
  libraryId: LibraryId;
  id: string;
  name: string;
  type: string;
  text: string;
}

test('files of the original server are found again once the script has copied them', {
  timeout: 60_000,
}, async () => {
  const page = await readFile(join(repository, 'docs/migrating.md'), 'utf8');
  const script = /```js\n(\/\/ copy-files\.mjs[\s\S]*?)```/.exec(page)?.[1] ?? '';
  const file = (libraryId: string, id: string, name: string): StoredText => ({
    libraryId: libraryId as LibraryId,
    id,
    name,
    type: 'image/png',
    text: `${libraryId} ${id} ${name}`,
  });
  const files = [
    file('library-1', 'file-1', 'photo.png'),
    file('library-1', 'File-2', 'IMG_1234.JPG'),
    file('Library Zwei', 'file-1', 'Grüße aus Köln.png'),
  ];
  const from = await originalFolder(files);
  const to = await temporaryFolder();
  // Where it finds its dependencies.
  const folder = await mkdtemp(join(repository, 'tests/.migrating-'));
  await writeFile(join(folder, 'copy-files.mjs'), script);
  for (let times = 0; times < 2; times++) {
    await promisify(execFile)(process.execPath, [join(folder, 'copy-files.mjs'), from, to]);
  }
  const host = 'http://localhost/files';
  const copied = new LocalFileStorage({ rootDirectory: to, host });
  for (const { text, ...stored } of files) {
    const path = new URL(copied.getUrl(stored)).pathname.slice('/files/'.length);
    expect(await readFile(join(to, decodeURIComponent(path)), 'utf8')).toBe(text);
  }
  for (const path of [from, to, folder]) await removeFolder(path);
});
