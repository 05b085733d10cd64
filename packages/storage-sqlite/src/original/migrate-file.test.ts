import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sqlShardStorage, sqlStorage } from '../index.js';
import { libraryIds, readLibrary } from '../testing/library-rows.js';
import {
  leaveAsKilled,
  ORIGINAL_KINDS,
  type OriginalKind,
  openOriginal,
  writeOriginal,
} from '../testing/original-files.js';
import { at, usualLibrary, wallClock } from '../testing/original-library.js';
import { temporaryDirectory } from '../testing/temporary.js';

const kinds = Object.entries<OriginalKind>(ORIGINAL_KINDS);
const UNIFIED_3 = ORIGINAL_KINDS['3.x unified, v2'];
const SHARDED_4 = ORIGINAL_KINDS['4.x sharded, 2'];

test.each(kinds)('%s is migrated when it is opened, and nothing of it is lost', async (_, kind) => {
  const directory = temporaryDirectory();
  const path = join(directory, 'one.sqlite');
  writeOriginal(path, kind, { one: usualLibrary() });
  const before = readFileSync(path);
  const logged: unknown[][] = [];

  for (let time = 0; time < 2; time++) {
    const storage = open(path, kind, (...line) => logged.push(line));
    expect(await readLibrary(storage, 'one', { files: ['f1', 'f2', 'f3'] })).toEqual({
      head: {
        epoch: 0,
        version: 1,
        founded: true,
        order: 4,
        foldedThrough: 1,
        announcedAck: at(5),
        latest: at(5),
        horizon: at(5),
        soleAuthor: null,
        operations: 3,
        baselines: 1,
      },
      baselines: [{ oid: 'items/1', snapshot: '{"id":"1","at":2}', timestamp: at(2), authz: null }],
      operations: [
        [2, 'ana', 3],
        [3, 'bob', 4],
        [4, 'ana', 5],
      ].map(([order, replicaId, seconds]) => ({
        order,
        replicaId,
        oid: 'items/1',
        timestamp: at(seconds as number),
        data: `{"op":"set","name":"at","value":${seconds}}`,
        authz: null,
      })),
      replicas: [
        ['ana', 'user-a', 5, 5],
        ['bob', 'user-b', 6, 4],
      ].map(([id, userId, seen, written]) => ({
        id,
        userId,
        type: 0,
        // Both hold everything: what ana wrote last she was never asked to acknowledge.
        ackedOrder: 4,
        ackedTime: at(5),
        lastSeen: wallClock(seen as number),
        writtenThrough: at(written as number),
        lastReset: null,
        pending: [],
      })),
      access: [],
      files: [
        { id: 'f1', name: 'a.png', type: 'image/png', size: null, pendingDeleteAt: null },
        { id: 'f2', name: 'b.png', type: 'image/png', size: null, pendingDeleteAt: wallClock(3) },
      ],
    });
    await storage.close();
  }

  const backups = readdirSync(directory).filter((name) => name.includes('backup'));
  expect(backups).toEqual([expect.stringMatching(/^one\.sqlite\.backup-\d{4}-\d\d-\d\d$/)]);
  expect(readFileSync(join(directory, backups[0]!)).equals(before)).toBe(true);
  expect(logged).toEqual([
    [
      'warn',
      'A database of the original server is migrated.',
      {
        path,
        writtenBy: expect.stringMatching(/^the original server [234]\.x/),
        libraries: 1,
        operations: 3,
        baselines: 1,
        replicas: 2,
        files: 2,
        leftOut: 0,
        ms: expect.any(Number),
        backup: join(directory, backups[0]!),
      },
    ],
  ]);
  expect(readdirSync(directory).filter((name) => !name.includes('lock') && !name.includes('backup'))).toEqual(
    ['one.sqlite'],
  );
});

test.each(kinds.filter(([, { unified }]) => unified))(
  '%s: each library stays on its own',
  async (_, kind) => {
    const path = join(temporaryDirectory(), 'verdant.sqlite');
    const names = ['', 'a/b', '../x', 'ünï', 'A', 'a'];
    writeOriginal(path, kind, Object.fromEntries(names.map((name) => [name, usualLibrary()])));
    const storage = sqlStorage({ databaseFile: path });
    expect((await libraryIds(storage)).sort()).toEqual([...names].sort());
    for (const name of names)
      expect((await readLibrary(storage, name))?.head).toMatchObject({ operations: 3 });
    await storage.close();
  },
);

test.each(kinds)('%s: what is in a log beside it is taken in, and is in the backup', async (_, kind) => {
  const directory = temporaryDirectory();
  const path = join(directory, 'one.sqlite');
  const db = openOriginal(path, kind, {});
  db.pragma('journal_mode = WAL');
  db.close();
  const again = new Database(path);
  const where = kind.unified ? "'one', " : '';
  again.prepare(`INSERT INTO FileMetadata VALUES (${where}'f9', 'late', 'text/plain', NULL)`).run();
  leaveAsKilled(again, path);
  expect(existsSync(`${path}-wal`)).toBe(true);

  const storage = open(path, kind);
  expect((await readLibrary(storage, 'one', { files: ['f9'] }))?.files).toHaveLength(1);
  await storage.close();
  const [backup] = readdirSync(directory).filter((name) => name.includes('backup'));
  const kept = new Database(join(directory, backup!), { readonly: true });
  expect(kept.prepare('SELECT count(*) FROM FileMetadata').pluck().get()).toBe(1);
  expect(kept.pragma('integrity_check', { simple: true })).toBe('ok');
  kept.close();
});

test('a transaction that the original was killed in is undone, not migrated', async () => {
  const path = join(temporaryDirectory(), 'verdant.sqlite');
  const db = openOriginal(path, UNIFIED_3, { one: usualLibrary() });
  // So small a cache that the file is written to before the end.
  db.pragma('cache_size = 1');
  db.pragma('cache_spill = 1');
  db.exec('BEGIN');
  for (let n = 0; n < 2000; n++) {
    db.prepare("INSERT INTO FileMetadata VALUES ('one', ?, 'half', 'text/plain', NULL)").run(`half-${n}`);
  }
  leaveAsKilled(db, path);
  expect(existsSync(`${path}-journal`)).toBe(true);
  const storage = sqlStorage({ databaseFile: path });
  const library = await readLibrary(storage, 'one', { files: ['f1', 'half-0', 'half-1999'] });
  expect(library?.files.map(({ id }) => id)).toEqual(['f1']);
  await storage.close();
});

test('afterwards the file gives space back like any other', async () => {
  const path = join(temporaryDirectory(), 'verdant.sqlite');
  writeOriginal(path, UNIFIED_3, { one: usualLibrary() });
  await sqlStorage({ databaseFile: path }).close();
  const db = new Database(path);
  const pragma = (name: string) => db.pragma(name, { simple: true });
  expect([
    pragma('auto_vacuum'),
    pragma('journal_mode'),
    pragma('integrity_check'),
    pragma('freelist_count'),
  ]).toEqual([2, 'wal', 'ok', 0]);
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").pluck().all();
  expect(tables).not.toContain('OperationHistory');
  expect(tables).not.toContain('kysely_migration');
  db.close();
});

test('no backup is made where none is wanted', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'verdant.sqlite');
  writeOriginal(path, UNIFIED_3, { one: usualLibrary() });
  const storage = sqlStorage({ databaseFile: path, backup: false });
  expect(await libraryIds(storage)).toEqual(['one']);
  await storage.close();
  expect(readdirSync(directory).filter((name) => name.includes('backup'))).toEqual([]);
});

test('a backup of other contents, of the same day, is kept beside the new one', async () => {
  const directory = temporaryDirectory();
  for (const content of [{}, { one: usualLibrary() }]) {
    const path = join(directory, 'verdant.sqlite');
    for (const part of ['', '-wal', '-shm']) {
      if (existsSync(path + part)) rmSync(path + part);
    }
    writeOriginal(path, UNIFIED_3, content);
    await sqlStorage({ databaseFile: path }).close();
  }
  expect(readdirSync(directory).filter((name) => name.includes('backup'))).toEqual([
    expect.stringMatching(/backup-[\d-]{10}$/),
    expect.stringMatching(/backup-[\d-]{10}-2$/),
  ]);
});

test('one that the original server still works with is refused', async () => {
  const path = join(temporaryDirectory(), 'verdant.sqlite');
  const db = openOriginal(path, UNIFIED_3, { one: usualLibrary() });
  db.pragma('journal_mode = WAL');
  db.exec("INSERT INTO FileMetadata VALUES ('one', 'f9', 'late', 'text/plain', NULL)");
  expect(() => sqlStorage({ databaseFile: path })).toThrow(
    /verdant\.sqlite .*still in use. Stop that server first/,
  );
  db.close();
  const storage = sqlStorage({ databaseFile: path });
  expect(await libraryIds(storage)).toEqual(['one']);
  await storage.close();
});

test('in a directory, listing migrates nothing, and each library is migrated when it is opened', async () => {
  const directory = temporaryDirectory();
  for (const name of ['one', 'Two', 'thr ee']) {
    writeOriginal(join(directory, `${name}.sqlite`), SHARDED_4, { [name]: usualLibrary() });
  }
  const storage = sqlShardStorage({ databasesDirectory: directory });
  expect(await libraryIds(storage)).toEqual(['Two', 'one', 'thr ee']);
  expect(readdirSync(directory).filter((name) => name.includes('backup'))).toEqual([]);
  for (const name of ['one', 'Two', 'thr ee']) {
    expect((await readLibrary(storage, name))?.head).toMatchObject({ order: 4 });
  }
  expect(await libraryIds(storage)).toEqual(['Two', 'one', 'thr ee']);
  expect(readdirSync(directory).filter((name) => name.endsWith('.sqlite'))).toEqual([
    'Two.sqlite',
    'one.sqlite',
    'thr ee.sqlite',
  ]);
  await storage.close();
});

test.each<[string, OriginalKind, string, RegExp]>([
  ['a later 4.x', SHARDED_4, 'UPDATE _Migrations SET id = 3', /version 3 of 4\.x/],
  ['no version', SHARDED_4, 'DROP TABLE _Migrations', /does not say which version/],
  ['a later 3.x', UNIFIED_3, "INSERT INTO kysely_migration VALUES ('v3', '')", /migrations are v1, v2, v3/],
  [
    'half of a migration',
    ORIGINAL_KINDS['3.x sharded, v1'],
    "INSERT INTO kysely_migration VALUES ('v2', '')",
    /yet it has no columns for access/,
  ],
  [
    'an early 2.x',
    ORIGINAL_KINDS['2.x unified, layout 7'],
    'UPDATE versions SET version = 5',
    /version 5 of 2\.x.*2\.1\.2 brings it there/,
  ],
  ['another column', UNIFIED_3, 'ALTER TABLE ReplicaInfo ADD COLUMN mood TEXT', /a column ReplicaInfo\.mood/],
  ['another table', SHARDED_4, 'CREATE TABLE Moods (id TEXT)', /a table or view Moods/],
  [
    'a column less',
    SHARDED_4,
    'ALTER TABLE FileMetadata DROP COLUMN type',
    /column FileMetadata\.type is missing/,
  ],
])('with %s it is refused, and left as it was', async (_, kind, change, problem) => {
  const directory = temporaryDirectory();
  const path = join(directory, 'one.sqlite');
  const db = openOriginal(path, kind, { one: usualLibrary() });
  db.exec(change);
  db.close();
  const before = readFileSync(path);
  const opening = async () => {
    const storage = open(path, kind);
    await readLibrary(storage, 'one').finally(() => storage.close());
  };
  await expect(opening()).rejects.toThrow(problem);
  await expect(opening()).rejects.toThrow(path);
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(directory).filter((name) => !name.includes('lock'))).toEqual(['one.sqlite']);
});

test('one library is not taken for many, nor many for one', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'one.sqlite');
  writeOriginal(path, SHARDED_4, { one: usualLibrary() });
  expect(() => sqlStorage({ databaseFile: path })).toThrow(
    /one library that it is named for.*Use sqlShardStorage/,
  );
  writeOriginal(join(directory, 'verdant.sqlite'), UNIFIED_3, { one: usualLibrary() });
  const storage = sqlShardStorage({ databasesDirectory: directory });
  await expect(readLibrary(storage, 'verdant')).rejects.toThrow(
    /many libraries.*transferFromUnifiedDatabaseFile/,
  );
  expect(await libraryIds(storage)).toEqual(['one']);
  await storage.close();
  expect(readdirSync(directory).filter((name) => name.includes('backup'))).toEqual([]);
});

test('a damaged one is refused, and holds what it held', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'verdant.sqlite');
  const db = openOriginal(path, UNIFIED_3, { one: usualLibrary() });
  const page = db
    .prepare("SELECT rootpage FROM sqlite_master WHERE name = 'ReplicaInfo'")
    .pluck()
    .get() as number;
  db.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, (page - 1) * 4096, page * 4096);
  writeFileSync(path, bytes);
  expect(() => sqlStorage({ databaseFile: path })).toThrow(
    /verdant\.sqlite.* could not be migrated: .*malformed.*holds what it held/,
  );
  const after = new Database(path, { readonly: true });
  expect(after.prepare('SELECT count(*) FROM OperationHistory').pluck().get()).toBe(3);
  after.close();
});

function open(path: string, { unified }: OriginalKind, log: (...line: unknown[]) => void = () => {}) {
  return unified
    ? sqlStorage({ databaseFile: path, log })
    : sqlShardStorage({ databasesDirectory: join(path, '..'), log });
}
