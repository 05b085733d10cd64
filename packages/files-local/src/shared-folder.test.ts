import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredFile } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LocalFileStorage } from './local-file-storage.js';

vi.mock('node:fs/promises', { spy: true });

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'verdant-shared-'));
});
afterEach(() => rm(root, { recursive: true }));

const file = (changes: Partial<StoredFile>): StoredFile => ({
  id: 'file1',
  libraryId: 'lib1' as LibraryId,
  name: 'photo.png',
  type: 'image/png',
  ...changes,
});

const put = (storage: LocalFileStorage, to: StoredFile, text: string) =>
  storage.put({ ...to, size: text.length }, new Blob([text]).stream() as ReadableStream<Uint8Array>);

/** They share nothing in memory, as two processes. */
const twoStorages = () => {
  const make = () => new LocalFileStorage({ rootDirectory: root, host: 'http://localhost/files' });
  return [make(), make()] as const;
};

/** Holds every rename back, once it is done, until as many have been done. */
const letRenamesMeet = async (count: number) => {
  const { rename: realRename } = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises');
  let release = () => {};
  const allDone = new Promise<void>((resolve) => {
    release = resolve;
  });
  let done = 0;
  vi.mocked(rename).mockImplementation(async (from, to) => {
    await realRename(from, to);
    if (++done === count) release();
    await allDone;
  });
};

describe('two processes on one folder', () => {
  test('one deletes the last file of a library while the other puts one: it is kept', async () => {
    const [one, two] = twoStorages();
    for (let round = 0; round < 30; round++) {
      await put(one, file({ id: 'old' }), 'old');
      await Promise.all([one.delete(file({ id: 'old' })), put(two, file({ id: 'new' }), 'new')]);
      expect(await readdir(join(root, 'lib1'))).toEqual(['new']);
      await two.delete(file({ id: 'new' }));
    }
  });

  test("a library's folder that goes just before the rename is made again", async () => {
    const [one] = twoStorages();
    const { rename: realRename } =
      await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises');
    vi.mocked(rename).mockImplementationOnce(async (from, to) => {
      await rm(join(root, 'lib1'), { recursive: true });
      await realRename(from, to);
    });
    await put(one, file({}), 'kept');
    expect(await readdir(join(root, 'lib1', 'file1'))).toEqual(['photo.png']);
  });

  test('both delete in one library', async () => {
    const [one, two] = twoStorages();
    for (let round = 0; round < 30; round++) {
      await put(one, file({ id: 'one' }), '1');
      await put(one, file({ id: 'two' }), '2');
      await Promise.all([one.delete(file({ id: 'one' })), two.delete(file({ id: 'two' }))]);
      expect(await readdir(root)).toEqual(['.tmp']);
    }
  });

  test('both put one id under different names: neither takes the other away', async () => {
    const [one, two] = twoStorages();
    await letRenamesMeet(2);
    await Promise.all([put(one, file({ name: 'one' }), '1'), put(two, file({ name: 'two' }), '2')]);
    expect((await readdir(join(root, 'lib1', 'file1'))).length).toBeGreaterThan(0);
    vi.mocked(rename).mockRestore();
  });
});
