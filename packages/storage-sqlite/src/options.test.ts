import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { sqlShardStorage, sqlStorage } from './index.js';
import { temporaryDirectory } from './testing/temporary.js';

test.each([
  ['an empty directory option', () => sqlShardStorage({ databasesDirectory: '' }), /databasesDirectory/],
  ['a missing directory option', () => sqlShardStorage({} as never), /databasesDirectory/],
  ['an empty file option', () => sqlStorage({ databaseFile: '' }), /databaseFile/],
  ['a missing file option', () => sqlStorage({} as never), /databaseFile/],
  [
    'an unknown durability',
    () => sqlStorage({ databaseFile: 'never.sqlite', durability: 'none' as never }),
    /'full' or 'normal'/,
  ],
  [
    'no open databases at all',
    () => sqlShardStorage({ databasesDirectory: 'never', maxOpenDatabases: 0 }),
    /maxOpenDatabases is 0/,
  ],
])('%s is refused', (_, open, message) => expectRefusal(open, message));

test('a directory option that names a file is refused, with the path', () => {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, '');
  expectRefusal(() => sqlShardStorage({ databasesDirectory: path }), path);
  expectRefusal(() => sqlShardStorage({ databasesDirectory: join(path, 'inner') }), path);
  expectRefusal(() => sqlStorage({ databaseFile: join(path, 'verdant.sqlite') }), path);
});

test('a file option that names a directory is refused, with the path', () => {
  const path = join(temporaryDirectory(), 'directory');
  mkdirSync(path);
  expectRefusal(() => sqlStorage({ databaseFile: path }), path);
});

// Not even root can write there.
test.runIf(process.platform === 'linux')('a place that cannot be written is refused, with the path', () => {
  expectRefusal(() => sqlShardStorage({ databasesDirectory: '/proc/verdant' }), '/proc/verdant');
  expectRefusal(() => sqlStorage({ databaseFile: '/proc/verdant.sqlite' }), '/proc/verdant.sqlite');
});

test('directories are created, with their parents; no database before the first commit', async () => {
  const directory = join(temporaryDirectory(), 'a/b');
  const shards = sqlShardStorage({ databasesDirectory: directory });
  const file = sqlStorage({ databaseFile: join(directory, 'c/verdant.sqlite') });
  for (const storage of [shards, file]) {
    const library = await storage.open('library' as never);
    expect(await library.load(0)).toBe(null);
    await storage.close();
    await expect(storage.open('library' as never)).rejects.toThrow(/closed/);
  }
  expect(readdirSync(directory).sort()).toEqual(['.verdant-lock', 'c']);
  expect(readdirSync(join(directory, 'c'))).toEqual(['verdant.sqlite-lock']);
});

function expectRefusal(open: () => unknown, message: string | RegExp): void {
  expect(open).toThrow(message);
  expect(open).toThrow(VerdantError);
  try {
    open();
  } catch (error) {
    expect((error as VerdantError).code).toBe(VerdantErrorCode.Configuration);
  }
}
