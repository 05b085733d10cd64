import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { StoredFile } from '@verdant-web/core';
import { type LibraryId, VerdantErrorCode } from '@verdant-web/protocol';
import { fileStorageContract } from '@verdant-web/testkit/files';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalFileStorage, type LocalFileStorageOptions } from './local-file-storage.js';

const host = 'http://localhost:3000/files';

const newFolder = () => mkdtemp(join(tmpdir(), 'verdant-files-'));

/** The bytes where a static file server would look for the URL. */
const readByUrl = (root: string, url: string): Promise<Uint8Array | null> =>
  readFile(join(root, new URL(url).pathname.slice('/files'.length))).catch(() => null);

fileStorageContract({
  name: 'LocalFileStorage',
  has: ['open', 'inventory'],
  create: async () => {
    const rootDirectory = await newFolder();
    const storage = new LocalFileStorage({ rootDirectory, host });
    return {
      storage,
      read: (file) => readByUrl(rootDirectory, storage.getUrl(file)),
      dispose: () => rm(rootDirectory, { recursive: true }),
    };
  },
});

let root: string;
beforeEach(async () => {
  root = await newFolder();
});
afterEach(() => rm(root, { recursive: true }));

const storageWith = (options: Partial<LocalFileStorageOptions> = {}) =>
  new LocalFileStorage({ rootDirectory: root, host, ...options });

const file = (changes: Partial<StoredFile> = {}): StoredFile => ({
  id: 'file1',
  libraryId: 'lib1' as LibraryId,
  name: 'photo.png',
  type: 'image/png',
  ...changes,
});

const put = (storage: LocalFileStorage, to: StoredFile, ...chunks: string[]) => {
  const content = new Blob(chunks);
  return storage.put({ ...to, size: content.size }, content.stream() as ReadableStream<Uint8Array>);
};

/** Every file below the root folder. */
const filesOnDisk = async () =>
  (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(relative(root, entry.parentPath), entry.name));

describe('on disk', () => {
  test('lies under library, id and name', async () => {
    await put(storageWith(), file(), 'hello');
    expect(await filesOnDisk()).toEqual([join('lib1', 'file1', 'photo.png')]);
    expect(await readFile(join(root, 'lib1', 'file1', 'photo.png'), 'utf8')).toBe('hello');
  });

  test('a new name leaves nothing of the old one', async () => {
    const storage = storageWith();
    await put(storage, file({ name: 'Before.PNG' }), 'before');
    await put(storage, file({ name: 'after.txt' }), 'after');
    expect(await filesOnDisk()).toEqual([join('lib1', 'file1', 'after.txt')]);
  });

  test('puts of one id under many names at once leave one file', async () => {
    const storage = storageWith();
    await Promise.all([...'abcdefgh'].map((name) => put(storage, file({ name }), name)));
    const [left, ...others] = await filesOnDisk();
    expect(others).toEqual([]);
    expect(left).toMatch(/[a-h]$/);
  });

  test('the folders go with the last file', async () => {
    const storage = storageWith();
    await put(storage, file({ id: 'one' }), '1');
    await put(storage, file({ id: 'two' }), '2');
    await storage.delete(file({ id: 'one' }));
    expect(await readdir(join(root, 'lib1'))).toEqual(['two']);
    await storage.delete(file({ id: 'two' }));
    expect(await readdir(root)).toEqual(['.tmp']);
  });

  test('nothing is ever written outside the root folder', async () => {
    const inner = join(root, 'a', 'b', 'c');
    const storage = storageWith({ rootDirectory: inner });
    const climbing = '../../../../x';
    await put(storage, file({ libraryId: climbing as LibraryId, id: climbing, name: climbing }), 'x');
    await put(storage, file({ libraryId: '..' as LibraryId, id: '..', name: 'passwd' }), 'x');
    const files = await filesOnDisk();
    expect(files).toHaveLength(2);
    for (const path of files) expect(path.startsWith(relative(root, inner))).toBe(true);
  });
});

describe('an upload', () => {
  test('is not visible before it is whole', async () => {
    const storage = storageWith();
    await put(storage, file(), 'earlier');
    let client!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        client = controller;
      },
    });
    const done = storage.put({ ...file(), size: 4 }, body);
    client.enqueue(new TextEncoder().encode('half'));
    expect(await readByUrl(root, storage.getUrl(file()))).toEqual(Buffer.from('earlier'));
    client.close();
    await done;
    expect(await readByUrl(root, storage.getUrl(file()))).toEqual(Buffer.from('half'));
  });

  test('that fails leaves no file behind, and the reason reaches the caller', async () => {
    const reason = new Error('The client has gone.');
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(100_000)),
      pull: (controller) => controller.error(reason),
    });
    await expect(storageWith().put({ ...file(), size: 1_000_000 }, body)).rejects.toBe(reason);
    expect(await filesOnDisk()).toEqual([]);
  });

  test('over the limit is refused with TooLarge, unread', async () => {
    let read = 0;
    let cancelled: unknown;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: () => void read++,
        cancel: (reason) => {
          cancelled = reason;
        },
      },
      { highWaterMark: 0 },
    );
    const done = storageWith({ maxFileBytes: 10_000 }).put({ ...file(), size: 10_001 }, body);
    await expect(done).rejects.toMatchObject({
      code: VerdantErrorCode.TooLarge,
      message: expect.stringContaining('10000 bytes'),
    });
    expect(read).toBe(0);
    expect(cancelled).toMatchObject({ code: VerdantErrorCode.TooLarge });
    expect(await filesOnDisk()).toEqual([]);
  });

  test.each([
    ['more', 4],
    ['fewer', 6],
  ])('of %s bytes than were announced is refused, and leaves nothing', async (_, size) => {
    const body = new Blob(['12345']).stream() as ReadableStream<Uint8Array>;
    await expect(storageWith().put({ ...file(), size }, body)).rejects.toThrow('announced');
    expect(await filesOnDisk()).toEqual([]);
  });

  test('of exactly the limit is taken', async () => {
    const storage = storageWith({ maxFileBytes: 5 });
    await put(storage, file(), '12', '345');
    expect(await filesOnDisk()).toHaveLength(1);
    await expect(put(storage, file(), '123456')).rejects.toMatchObject({ code: 4130 });
    expect(await readByUrl(root, storage.getUrl(file()))).toEqual(Buffer.from('12345'));
  });

  test('is read no faster than the disk takes it', async () => {
    let given = 0;
    const notYetWritten: number[] = [];
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          const [upload] = readdirSync(join(root, '.tmp'));
          notYetWritten.push(given - statSync(join(root, '.tmp', upload!)).size);
          if (given === 50 * 65_536) return controller.close();
          given += 65_536;
          controller.enqueue(new Uint8Array(65_536));
        },
      },
      { highWaterMark: 0 },
    );
    await storageWith().put({ ...file(), size: 50 * 65_536 }, body);
    expect(notYetWritten).toEqual(new Array(51).fill(0));
  });

  test('survives a source whose cancel never ends', async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(100)),
      cancel: () => new Promise(() => {}),
    });
    await expect(storageWith().put({ ...file(), size: 10 }, body)).rejects.toThrow('announced');
  });

  test('of text chunks, which have no byte length, is refused', async () => {
    const body = new ReadableStream({ start: (controller) => controller.enqueue('text') });
    await expect(storageWith().put({ ...file(), size: 4 }, body)).rejects.toThrow(TypeError);
    expect(await filesOnDisk()).toEqual([]);
  });

  test('that cannot move in leaves nothing behind', async () => {
    const storage = storageWith();
    await writeFile(join(root, 'lib1'), 'a file where the library should be');
    await expect(put(storage, file(), 'hello')).rejects.toThrow(/lib1/);
    expect(await filesOnDisk()).toEqual(['lib1']);
  });
});

describe('getUrl', () => {
  test('is the host and the place on disk', () => {
    expect(storageWith().getUrl(file())).toBe('http://localhost:3000/files/lib1/file1/photo.png');
  });

  test.each(['https://example.com/files/', 'https://example.com/files//', 'https://example.com/files'])(
    'takes the host %s',
    (host) => {
      expect(storageWith({ host }).getUrl(file())).toBe('https://example.com/files/lib1/file1/photo.png');
    },
  );

  test('takes a host without a path', () => {
    expect(storageWith({ host: 'https://files.example.com' }).getUrl(file())).toBe(
      'https://files.example.com/lib1/file1/photo.png',
    );
  });
});

describe('at the start', () => {
  const configurationError = (message: RegExp) =>
    expect.objectContaining({
      code: VerdantErrorCode.Configuration,
      message: expect.stringMatching(message),
    });

  test('makes the folder and those above it', () => {
    const rootDirectory = join(root, 'deep', 'down');
    storageWith({ rootDirectory });
    expect(existsSync(rootDirectory)).toBe(true);
  });

  test('a relative folder starts at the working directory of that moment', async () => {
    const storage = storageWith({ rootDirectory: relative(process.cwd(), root) });
    await put(storage, file(), 'hello');
    expect(await filesOnDisk()).toEqual([join('lib1', 'file1', 'photo.png')]);
  });

  test.each(['', '  ', undefined])('refuses the folder %j', (rootDirectory) => {
    expect(() => storageWith({ rootDirectory: rootDirectory as string })).toThrow(
      configurationError(/rootDirectory/),
    );
  });

  test("refuses a regular file in the folder's place, and names it", async () => {
    const path = join(root, 'taken');
    await writeFile(path, '');
    expect(() => storageWith({ rootDirectory: path })).toThrow(
      configurationError(new RegExp(`cannot use the folder ${resolve(path)}`)),
    );
    expect(() => storageWith({ rootDirectory: join(path, 'below') })).toThrow(configurationError(/taken/));
  });

  test('refuses a folder that it may not write to', async () => {
    await chmod(root, 0o555);
    // The superuser may write anywhere.
    const isSuperuser = process.geteuid?.() === 0;
    if (isSuperuser) process.seteuid?.('nobody');
    try {
      expect(() => storageWith()).toThrow(configurationError(/cannot use the folder/));
    } finally {
      if (isSuperuser) process.seteuid?.(0);
      await chmod(root, 0o700);
    }
  });

  test.each([
    '',
    '/files',
    'localhost:3000/files',
    'ftp://example.com',
    'http://localhost:undefined/files',
    'http://x/?a',
    'http://x/#a',
    undefined,
  ])('refuses the host %j', (host) => {
    expect(() => storageWith({ host: host as string })).toThrow(configurationError(/host/));
  });

  test.each([0, -1, Number.NaN, '5' as unknown as number])('refuses a limit of %j', (maxFileBytes) => {
    expect(() => storageWith({ maxFileBytes })).toThrow(configurationError(/maxFileBytes/));
  });

  test('clears abandoned uploads out, not those that go on', async () => {
    const uploads = join(root, '.tmp');
    await mkdir(uploads);
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 60 * 60 * 1000);
    for (const [name, hours] of [
      ['abandoned', 2],
      ['going-on', 0.5],
    ] as const) {
      await writeFile(join(uploads, name), 'part');
      await utimes(join(uploads, name), hoursAgo(hours), hoursAgo(hours));
    }
    storageWith();
    expect(await readdir(uploads)).toEqual(['going-on']);
  });
});

describe('the inventory', () => {
  const keys = async (storage: LocalFileStorage) => {
    const found = [];
    for await (const one of storage.inventory.list()) found.push(one);
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  };

  test('has halves of uploads, and passes over what is not ours', async () => {
    const storage = storageWith();
    await put(storage, file(), 'hello');
    await writeFile(join(root, '.tmp', 'half'), 'ha');
    await writeFile(join(root, 'README'), 'by hand');
    await mkdir(join(root, '.git', 'a'), { recursive: true });
    await writeFile(join(root, '.git', 'a', 'b'), '');
    await writeFile(join(root, 'lib1', 'file1', '.DS_Store'), '');
    expect(await keys(storage)).toMatchObject([
      { key: '.tmp/half', size: 2 },
      { key: 'lib1/file1/photo.png', size: 5 },
    ]);
  });

  test('removes folders that it leaves empty, and halves of uploads', async () => {
    const storage = storageWith();
    await put(storage, file(), 'hello');
    await writeFile(join(root, '.tmp', 'half'), 'ha');
    for (const found of await keys(storage)) await storage.inventory.remove(found);
    expect(await readdir(root, { recursive: true })).toEqual(['.tmp']);
  });

  test.each(['../outside', 'lib1/../../outside', '.tmp/../../outside', 'lib1/file1', '/etc/passwd'])(
    'does not remove %s',
    async (key) => {
      const storage = storageWith({ rootDirectory: join(root, 'files') });
      await writeFile(join(root, 'outside'), '');
      const { mtimeMs } = statSync(join(root, 'outside'));
      await storage.inventory.remove({ key, size: 0, modifiedAt: mtimeMs });
      expect(existsSync(join(root, 'outside'))).toBe(true);
    },
  );
});

test('what is opened is not kept open by a reader who leaves', async () => {
  const storage = storageWith();
  await put(storage, file(), 'x'.repeat(1_000_000));
  const openFiles = () => readdirSync('/proc/self/fd').filter((fd) => isOurs(fd)).length;
  const isOurs = (fd: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(root);
    } catch {
      return false;
    }
  };
  const opened = (await storage.open(file()))!;
  expect(openFiles()).toBe(1);
  const reader = opened.read().getReader();
  await reader.read();
  await reader.cancel();
  // What is cancelled is closed soon, on another thread.
  await expect.poll(openFiles, { timeout: 10_000 }).toBe(0);
  await new Response(
    (await storage.open(file()))!.read() as ReadableStream<Uint8Array<ArrayBuffer>>,
  ).arrayBuffer();
  await expect.poll(openFiles, { timeout: 10_000 }).toBe(0);
});
