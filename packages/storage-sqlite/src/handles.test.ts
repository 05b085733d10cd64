import { readdirSync, readlinkSync } from 'node:fs';
import type { LibraryStorage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase } from './database-file.js';
import { sqlShardStorage } from './index.js';
import { fastParent, temporaryDirectory } from './testing/temporary.js';

const LIBRARIES = 2_000;
const OPEN = 8;

test(`${LIBRARIES} open libraries keep ${OPEN} files open`, { timeout: 60_000 }, async () => {
  const directory = temporaryDirectory(fastParent());
  const storage = sqlShardStorage({
    databasesDirectory: directory,
    durability: 'normal',
    maxOpenDatabases: OPEN,
  });
  const libraries: LibraryStorage[] = [];
  for (let index = 0; index < LIBRARIES; index++) {
    const library = await storage.open(`library-${index}` as LibraryId);
    await library.commit({ expect: { epoch: 0, version: 0 }, head: headAt(index) });
    libraries.push(library);
  }
  expect(openDatabases(directory)).toBeLessThanOrEqual(OPEN);
  // Each is opened again when it is called, without its user noticing.
  for (const [index, library] of libraries.entries()) {
    expect((await library.load(0))?.head.order).toBe(index);
  }
  expect(openDatabases(directory)).toBeLessThanOrEqual(OPEN);
  let listed = 0;
  for await (const _ of storage.list()) listed++;
  expect(listed).toBe(LIBRARIES);
  expect(openDatabases(directory)).toBeLessThanOrEqual(OPEN);
  await storage.close();
  expect(openDatabases(directory)).toBe(0);
});

test('files that nobody uses are closed, a few at a time, and opened again when they are used', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const directory = temporaryDirectory();
  const storage = sqlShardStorage({ databasesDirectory: directory });
  const libraries: LibraryStorage[] = [];
  for (let index = 0; index < 20; index++) {
    const library = await storage.open(`library-${index}` as LibraryId);
    await library.commit({ expect: { epoch: 0, version: 0 }, head: headAt(index) });
    libraries.push(library);
  }
  await vi.advanceTimersByTimeAsync(59_000);
  expect(openDatabases(directory)).toBe(20);
  expect((await libraries[0]!.load(0))?.head.order).toBe(0);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(openDatabases(directory)).toBe(18);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(openDatabases(directory)).toBe(1);
  await vi.advanceTimersByTimeAsync(58_000);
  expect(openDatabases(directory)).toBe(0);
  expect((await libraries[7]!.load(0))?.head.order).toBe(7);
  expect(openDatabases(directory)).toBe(1);
  await vi.advanceTimersByTimeAsync(60_100);
  expect(openDatabases(directory)).toBe(0);
  await storage.close();
});

test('[WORK-6] a library that is closed lets go of its file', async () => {
  const directory = temporaryDirectory();
  const storage = sqlShardStorage({ databasesDirectory: directory });
  const library = await storage.open('library' as LibraryId);
  await library.commit({ expect: { epoch: 0, version: 0 }, head: headAt(1) });
  await library.close();
  expect(readdirSync(directory).sort()).toEqual(['.verdant-lock', 'library.sqlite']);
  await storage.close();
});

test.each([
  ['full', 2],
  ['normal', 1],
] as const)(
  '[DUR-7] a database runs with the same pragmas each time that it is opened (%s)',
  async (durability, synchronous) => {
    const directory = temporaryDirectory();
    const storage = sqlShardStorage({ databasesDirectory: directory });
    const library = await storage.open('library' as LibraryId);
    await library.commit({ expect: { epoch: 0, version: 0 }, head: headAt(1) });
    await storage.close();
    for (let time = 0; time < 3; time++) {
      const { database, close } = openDatabase(`${directory}/library.sqlite`, { durability, cacheKiB: 1024 });
      const pragma = (name: string) => database.get(`PRAGMA ${name}`)?.[0];
      expect({
        journal: pragma('journal_mode'),
        synchronous: pragma('synchronous'),
        vacuum: pragma('auto_vacuum'),
        checkpoint: pragma('wal_autocheckpoint'),
        logLimit: pragma('journal_size_limit'),
        cache: pragma('cache_size'),
        timeout: pragma('busy_timeout'),
      }).toEqual({
        journal: 'wal',
        synchronous,
        vacuum: 2,
        checkpoint: 1000,
        logLimit: 4 * 1024 * 1024,
        cache: -1024,
        timeout: 5000,
      });
      close();
    }
  },
);

/** Databases below `directory` that this process has open. Linux only; elsewhere none. */
function openDatabases(directory: string): number {
  if (process.platform !== 'linux') return 0;
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return open.filter((path) => path.startsWith(directory) && path.endsWith('.sqlite')).length;
}

const headAt = (order: number) => ({
  epoch: 0,
  version: 1,
  founded: true,
  order,
  foldedThrough: 0,
  announcedAck: null,
  latest: null,
  horizon: null,
  soleAuthor: null,
  operations: 0,
  baselines: 0,
});
