import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyHead, type Storage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sqlShardStorage } from './index.js';
import { libraryIds } from './testing/library-rows.js';
import { temporaryDirectory } from './testing/temporary.js';

const DAMAGES: Record<string, (path: string) => void> = {
  'no database': (path) => writeFileSync(path, 'not a database, but text that somebody put here'),
  'half of one': (path) => truncateSync(path, statSync(path).size / 2),
  'one of which a page is junk': (path) => {
    const content = readFileSync(path);
    writeFileSync(path, content.fill(0xa5, 4096, 2 * 4096));
  },
  'a log alone': (path) => {
    writeFileSync(`${path}-wal`, 'a log');
    truncateSync(path, 0);
  },
};
const damages = Object.keys(DAMAGES);

/** A directory with two libraries, of which one is damaged. */
async function withDamaged(id: string, damage: string): Promise<{ directory: string; storage: Storage }> {
  const directory = temporaryDirectory();
  const before = sqlShardStorage({ databasesDirectory: directory });
  for (const library of [id, 'sound'] as LibraryId[]) {
    const head = { ...emptyHead, version: 1 };
    await (await before.open(library)).commit({ expect: { epoch: 0, version: 0 }, head });
  }
  const file = readdirSync(directory).find((name) => name.endsWith('.sqlite') && name !== 'sound.sqlite')!;
  await before.close();
  DAMAGES[damage]!(join(directory, file));
  return { directory, storage: sqlShardStorage({ databasesDirectory: directory }) };
}

test.each(damages)('a file that is %s is set aside with all that belongs to it', async (damage) => {
  const { directory, storage } = await withDamaged('lib', damage);
  const before = contents(directory, 'lib.sqlite');
  const aside = await storage.setAside!('lib' as LibraryId);
  expect(aside).toMatch(/lib\.sqlite\.damaged-\d{4}-\d\d-\d\d$/);
  expect(existsSync(join(directory, 'lib.sqlite'))).toBe(false);
  expect(existsSync(join(directory, 'lib.sqlite-wal'))).toBe(false);
  expect(contents(directory, 'lib.sqlite.damaged-')).toEqual(before);
  const library = await storage.open('lib' as LibraryId);
  expect(await library.load(0)).toBe(null);
  await library.evict({ ...emptyHead, epoch: 1, version: 1 });
  expect((await library.load(0))?.head.epoch).toBe(1);
  expect(await libraryIds(storage)).toEqual(['lib', 'sound']);
  await storage.close();
});

test('a second one of the same day gets a name of its own', async () => {
  const { directory, storage } = await withDamaged('lib', 'no database');
  const first = await storage.setAside!('lib' as LibraryId);
  DAMAGES['no database']!(join(directory, 'lib.sqlite'));
  expect(await storage.setAside!('lib' as LibraryId)).toBe(`${first}-2`);
  await storage.close();
});

test('what is sound, not there, or another program’s is left where it is', async () => {
  const { directory, storage } = await withDamaged('lib', 'no database');
  expect(await storage.setAside!('sound' as LibraryId)).toBe(null);
  expect((await (await storage.open('sound' as LibraryId)).load(0))?.head.version).toBe(1);
  expect(await storage.setAside!('missing' as LibraryId)).toBe(null);
  const foreign = join(directory, 'foreign.sqlite');
  new Database(foreign).exec('CREATE TABLE contacts (name TEXT)').close();
  expect(await storage.setAside!('foreign' as LibraryId)).toBe(null);
  expect(existsSync(foreign)).toBe(true);
  await storage.close();
});

test.each(['lib', 'Mixed Case', '', 'é', '\ud800', 'con'])(
  'the damaged file of %j is listed, for what is not listed may be cleaned up',
  async (id) => {
    const { storage } = await withDamaged(id, 'half of one');
    expect((await libraryIds(storage)).sort()).toEqual([id, 'sound'].sort());
    await expect(storage.open(id as LibraryId).then((library) => library.load(0))).rejects.toThrow('.sqlite');
    await storage.close();
  },
);

/** What is in the files whose names begin so, but for the index of a log. */
const contents = (directory: string, start: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.startsWith(start) && !name.endsWith('-shm'))
    .sort()
    .map((name) => readFileSync(join(directory, name)).toString('latin1'));
