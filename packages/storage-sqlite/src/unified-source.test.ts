import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { emptyHead, type Storage } from '@verdant-web/core';
import type { LibraryId, UserId } from '@verdant-web/protocol';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sqlShardStorage, sqlStorage } from './index.js';
import { libraryIds, readLibrary } from './testing/library-rows.js';
import { leaveAsKilled, ORIGINAL_KINDS, openOriginal, writeOriginal } from './testing/original-files.js';
import { usualLibrary } from './testing/original-library.js';
import { temporaryDirectory } from './testing/temporary.js';

const UNIFIED = ORIGINAL_KINDS['3.x unified, v2'];
const NAMES = ['one', 'Two', 'a/b', 'ünï'];

const sources = {
  'the original server': async (path: string) =>
    writeOriginal(path, UNIFIED, Object.fromEntries(NAMES.map((name) => [name, usualLibrary()]))),
  'the original server, with a log': async (path: string) => {
    writeOriginal(path, UNIFIED, Object.fromEntries(NAMES.slice(1).map((name) => [name, usualLibrary()])));
    const other = join(path, '..', 'other');
    writeOriginal(other, UNIFIED, { one: usualLibrary() });
    const db = new Database(path);
    db.pragma('journal_mode = WAL');
    db.prepare('ATTACH ? AS other').run(other);
    for (const table of ['OperationHistory', 'DocumentBaseline', 'ReplicaInfo', 'FileMetadata'])
      db.exec(`INSERT INTO main.${table} SELECT * FROM other.${table}`);
    leaveAsKilled(db, path);
    rmSync(other);
  },
  sqlStorage: async (path: string) => {
    await sources['the original server'](path);
    await sqlStorage({ databaseFile: path, backup: false }).close();
  },
};

test.each(Object.entries(sources))(
  'libraries are taken over from a unified database of %s',
  async (_, write) => {
    const directory = temporaryDirectory();
    const unified = join(directory, 'verdant.sqlite');
    await write(unified);
    const expected = await contentOf(unified);

    const databasesDirectory = join(directory, 'databases');
    const storage = sqlShardStorage({ databasesDirectory, transferFromUnifiedDatabaseFile: unified });
    const order = await libraryIds(storage);
    expect([...order].sort()).toEqual([...NAMES].sort());
    expect(sqliteFiles(databasesDirectory)).toEqual([]);
    expect(await readLibrary(storage, 'two')).toBe(null);
    for (const name of NAMES)
      expect(await readLibrary(storage, name, { files: ['f1', 'f2'] })).toEqual(expected);
    expect(sqliteFiles(databasesDirectory)).toHaveLength(NAMES.length);
    // In the same order, whether taken over or not.
    expect(await libraryIds(storage)).toEqual(order);
    expect(await libraryIds(storage, order[1])).toEqual(order.slice(2));
    await storage.close();

    // And once all are, it is needed no more.
    const alone = sqlShardStorage({ databasesDirectory });
    expect((await libraryIds(alone)).sort()).toEqual([...NAMES].sort());
    for (const name of NAMES)
      expect(await readLibrary(alone, name, { files: ['f1', 'f2'] })).toEqual(expected);
    await alone.close();
  },
);

test('the unified database stays as it is', async () => {
  const directory = temporaryDirectory();
  const unified = join(directory, 'verdant.sqlite');
  await sources['the original server'](unified);
  const before = readFileSync(unified);
  const storage = sqlShardStorage({
    databasesDirectory: join(directory, 'databases'),
    transferFromUnifiedDatabaseFile: unified,
  });
  for (const name of NAMES) await readLibrary(storage, name);
  await storage.close();
  expect(readFileSync(unified).equals(before)).toBe(true);
  expect(readdirSync(directory).filter((name) => !name.includes('lock'))).toEqual([
    'databases',
    'verdant.sqlite',
  ]);
});

test('a library is taken over once: what became of it since counts, its eviction too', async () => {
  const directory = temporaryDirectory();
  const unified = join(directory, 'verdant.sqlite');
  await sources['the original server'](unified);
  const open = () =>
    sqlShardStorage({
      databasesDirectory: join(directory, 'databases'),
      transferFromUnifiedDatabaseFile: unified,
    });
  let storage: Storage = open();
  const library = await storage.open('one' as LibraryId);
  await library.evict({ ...emptyHead, epoch: 1, version: 2 });
  while (await library.reclaim(50));
  await storage.close();

  storage = open();
  expect(await readLibrary(storage, 'one')).toMatchObject({
    head: { epoch: 1, founded: false },
    operations: [],
    baselines: [],
    replicas: [],
  });
  expect((await readLibrary(storage, 'Two'))?.operations).toHaveLength(3);
  await storage.close();
});

test('files of an evicted library of ours are still known to be deleted', async () => {
  const directory = temporaryDirectory();
  const unified = join(directory, 'verdant.sqlite');
  await sources.sqlStorage(unified);
  const source = sqlStorage({ databaseFile: unified });
  await (await source.open('one' as LibraryId)).evict({ ...emptyHead, epoch: 1, version: 2 });
  await source.close();
  const storage = sqlShardStorage({
    databasesDirectory: join(directory, 'databases'),
    transferFromUnifiedDatabaseFile: unified,
  });
  const library = await storage.open('one' as LibraryId);
  expect((await library.load(0))?.head.epoch).toBe(1);
  expect((await library.evictedFiles(10)).map(({ id }) => id)).toEqual(['f1', 'f2']);
  await storage.close();
});

test('tokens that were revoked stay so', async () => {
  const directory = temporaryDirectory();
  const unified = join(directory, 'verdant.sqlite');
  await sources.sqlStorage(unified);
  const source = sqlStorage({ databaseFile: unified });
  const revocation = { userId: 'ana' as UserId, libraryId: null, issuedBefore: 5 };
  await source.putRevocation(revocation);
  await source.close();
  const databasesDirectory = join(directory, 'databases');
  for (const options of [{ transferFromUnifiedDatabaseFile: unified }, {}]) {
    const storage = sqlShardStorage({ databasesDirectory, ...options });
    expect(await storage.readRevocations()).toEqual([revocation]);
    await storage.close();
  }
});

test('a library with a file of its own is not taken over', async () => {
  const directory = temporaryDirectory();
  const unified = join(directory, 'verdant.sqlite');
  await sources['the original server'](unified);
  const databasesDirectory = join(directory, 'databases');
  await sqlShardStorage({ databasesDirectory }).close();
  const { files: _, ...withoutFiles } = usualLibrary();
  writeOriginal(join(databasesDirectory, 'one.sqlite'), ORIGINAL_KINDS['3.x sharded, v2'], {
    one: withoutFiles,
  });
  const storage = sqlShardStorage({ databasesDirectory, transferFromUnifiedDatabaseFile: unified });
  expect((await readLibrary(storage, 'one', { files: ['f1'] }))?.files).toEqual([]);
  expect((await readLibrary(storage, 'Two', { files: ['f1'] }))?.files).toHaveLength(1);
  await storage.close();
});

test('what an earlier attempt left half done is not in the way', async () => {
  const directory = temporaryDirectory();
  const unified = join(directory, 'verdant.sqlite');
  await sources['the original server'](unified);
  const databasesDirectory = join(directory, 'databases');
  await sqlShardStorage({ databasesDirectory }).close();
  for (const part of ['', '-wal', '-journal'])
    writeFileSync(join(databasesDirectory, `one.sqlite.new${part}`), 'half');
  const storage = sqlShardStorage({ databasesDirectory, transferFromUnifiedDatabaseFile: unified });
  expect((await readLibrary(storage, 'one'))?.operations).toHaveLength(3);
  await storage.close();
});

test('one that lies in the directory itself is not listed as a library', async () => {
  const directory = temporaryDirectory();
  const unified = join(directory, 'verdant.sqlite');
  await sources['the original server'](unified);
  const link = join(directory, 'link');
  symlinkSync(unified, link);
  const warnings: unknown[] = [];
  const storage = sqlShardStorage({
    databasesDirectory: directory,
    transferFromUnifiedDatabaseFile: link,
    log: (level, ...line) => level === 'warn' && warnings.push(line),
  });
  expect((await libraryIds(storage)).sort()).toEqual([...NAMES].sort());
  expect(warnings).toEqual([]);
  await storage.close();
});

test('a bad file is told of at the start, and nothing is locked for it', async () => {
  const directory = temporaryDirectory();
  const databasesDirectory = join(directory, 'databases');
  const start = (file: unknown) => () =>
    sqlShardStorage({ databasesDirectory, transferFromUnifiedDatabaseFile: file as string });
  expect(start(join(directory, 'none.sqlite'))).toThrow(
    /transferFromUnifiedDatabaseFile: there is no file .*none\.sqlite.*once all are, leave it out/,
  );
  expect(start('')).toThrow(/transferFromUnifiedDatabaseFile is missing or empty/);
  const text = join(directory, 'text');
  writeFileSync(text, 'no database');
  expect(start(text)).toThrow(/is not a SQLite database/);
  const shard = join(directory, 'one.sqlite');
  writeOriginal(shard, ORIGINAL_KINDS['4.x sharded, 2'], { one: usualLibrary() });
  expect(start(shard)).toThrow(/a single library.*Put it into databasesDirectory/);

  const unified = join(directory, 'verdant.sqlite');
  await sources.sqlStorage(unified);
  const source = sqlStorage({ databaseFile: unified });
  expect(start(unified)).toThrow(/verdant\.sqlite is in use by another Verdant server/);
  await source.close();
  const newer = join(directory, 'newer.sqlite');
  copyFileSync(unified, newer);
  const db = new Database(newer);
  db.pragma('user_version = 99');
  db.close();
  expect(start(newer)).toThrow(/newer version of Verdant/);
  await start(unified)().close();
});

test('taking over is told, with what came of it', async () => {
  const directory = temporaryDirectory();
  const unified = join(directory, 'verdant.sqlite');
  const db = openOriginal(unified, UNIFIED, { one: usualLibrary() });
  db.exec("UPDATE OperationHistory SET data = 'no json' WHERE serverOrder = 3");
  db.close();
  const logged: unknown[][] = [];
  const storage = sqlShardStorage({
    databasesDirectory: join(directory, 'databases'),
    transferFromUnifiedDatabaseFile: unified,
    log: (...line) => logged.push(line),
  });
  await readLibrary(storage, 'one');
  await storage.close();
  expect(logged[0]).toEqual([
    'info',
    'A library is taken over from the unified database.',
    expect.objectContaining({
      libraryId: 'one',
      path: join(directory, 'databases', 'one.sqlite'),
      from: unified,
      operations: 2,
      leftOut: 1,
    }),
  ]);
});

/** What any of its libraries holds, by the other way to read it. */
async function contentOf(unified: string) {
  const directory = temporaryDirectory();
  for (const part of ['', '-wal'])
    if (existsSync(unified + part)) copyFileSync(unified + part, join(directory, `u${part}`));
  const storage = sqlStorage({ databaseFile: join(directory, 'u'), backup: false });
  const rows = await readLibrary(storage, 'one', { files: ['f1', 'f2'] });
  await storage.close();
  expect(rows?.operations).toHaveLength(3);
  return rows;
}

const sqliteFiles = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.endsWith('.sqlite'));
