import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { LibraryStorage, Storage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sqlShardStorage, sqlStorage } from './index.js';
import { temporaryDirectory } from './testing/temporary.js';

const KYSELY = `
  CREATE TABLE kysely_migration (name varchar(255) not null primary key, timestamp varchar(255) not null);
  CREATE TABLE kysely_migration_lock (id varchar(255) not null primary key, is_locked integer not null default 0);
  INSERT INTO kysely_migration VALUES ('v1', '2024-01-01'), ('v2', '2024-01-02');`;
const ROWS = `
  CREATE TABLE OperationHistory (oid TEXT, timestamp TEXT, data TEXT, serverOrder INTEGER DEFAULT 0, replicaId TEXT, authz TEXT, PRIMARY KEY (replicaId, oid, timestamp));
  CREATE TABLE DocumentBaseline (oid TEXT PRIMARY KEY, snapshot TEXT, timestamp TEXT, authz TEXT);
  INSERT INTO OperationHistory VALUES ('items/1', 't', '{}', 1, 'r', NULL);`;
const FOREIGN = {
  'half of the original 3.x': KYSELY + ROWS,
  'a program with Kysely too': `${KYSELY} CREATE TABLE contacts (name TEXT);`,
  'half of the original 4.x': `CREATE TABLE _Migrations (id INTEGER PRIMARY KEY, appliedAt TEXT);${ROWS}`,
  'another program': 'CREATE TABLE contacts (name TEXT);',
};

const cases = Object.entries(FOREIGN).flatMap(([writer, sql]) =>
  ['DELETE', 'WAL, closed', 'WAL, killed'].map((journal) => [writer, journal, sql] as const),
);

test.each(cases)(
  'a library whose file is of %s (%s) is refused and left as it was',
  async (writer, journal, sql) => {
    const directory = temporaryDirectory();
    writeForeign(join(directory, 'foreign.sqlite'), journal, sql);
    const before = contents(directory);
    const storage = sqlShardStorage({ databasesDirectory: directory });
    const problem = await storage.open('foreign' as LibraryId).catch((error: Error) => error.message);
    expect(problem).toContain(join(directory, 'foreign.sqlite'));
    expect(problem).toMatch(
      writer.includes('original')
        ? /looks like a database of the original Verdant server.*the table ReplicaInfo is missing/
        : /another program/,
    );
    await founding(await storage.open('good' as LibraryId));
    expect(await ids(storage)).toEqual(['good']);
    await storage.close();
    expect(contents(directory)).toMatchObject(before);
  },
);

test.each(cases)(
  'one file for all that is of %s (%s) is refused and left as it was',
  (writer, journal, sql) => {
    const directory = temporaryDirectory();
    const databaseFile = join(directory, 'verdant.sqlite');
    writeForeign(databaseFile, journal, sql);
    const before = contents(directory);
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(() => sqlStorage({ databaseFile })).toThrow(databaseFile);
      expect(() => sqlStorage({ databaseFile })).toThrow(
        writer.includes('original') ? /original/ : /another program/,
      );
    }
    expect(contents(directory)).toMatchObject(before);
  },
);

test('a file that the original kept under a name with capitals is not passed over', async () => {
  const directory = temporaryDirectory();
  writeForeign(join(directory, 'Mixed.sqlite'), 'WAL, closed', FOREIGN['half of the original 4.x']);
  const storage = sqlShardStorage({ databasesDirectory: directory });
  await expect(storage.open('Mixed' as LibraryId)).rejects.toThrow('Mixed.sqlite');
  await founding(await storage.open('mixed' as LibraryId));
  await storage.close();
});

test.each([
  ['text', 'Not a database at all. '.repeat(200)],
  ['a few bytes', 'x'],
])('a file that is no SQLite database (%s) is refused and left as it was', async (_, text) => {
  const directory = temporaryDirectory();
  const path = join(directory, 'library.sqlite');
  writeFileSync(path, text);
  const storage = sqlShardStorage({ databasesDirectory: directory });
  await expect(storage.open('library' as LibraryId)).rejects.toThrow(`${path} is not a SQLite database`);
  await storage.close();
  expect(() => sqlStorage({ databaseFile: path })).toThrow(`${path} is not a SQLite database`);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('an empty file counts as none, a directory is refused', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'empty.sqlite'), '');
  mkdirSync(join(directory, 'directory.sqlite'));
  const storage = sqlShardStorage({ databasesDirectory: directory });
  const library = await storage.open('empty' as LibraryId);
  expect(await library.load(0)).toBe(null);
  await founding(library);
  await expect(storage.open('directory' as LibraryId)).rejects.toThrow('is not a file');
  expect(await ids(storage)).toEqual(['empty']);
  await storage.close();
});

test('a database of a newer layout is refused', async () => {
  const directory = temporaryDirectory();
  const databaseFile = join(directory, 'verdant.sqlite');
  const storage = sqlStorage({ databaseFile });
  await founding(await storage.open('library' as LibraryId));
  await storage.close();
  const db = new Database(databaseFile);
  db.pragma('user_version = 99');
  db.close();
  const before = contents(directory);
  expect(() => sqlStorage({ databaseFile })).toThrow(
    /newer version of Verdant \(layout 99; this one knows up to 4\)/,
  );
  expect(contents(directory)).toMatchObject(before);
});

test('a log without its database is neither used nor thrown away', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'library.sqlite');
  writeFileSync(`${path}-wal`, 'a log');
  const storage = sqlShardStorage({ databasesDirectory: directory });
  await expect(storage.open('library' as LibraryId)).rejects.toThrow(
    `${path} is missing or empty, but its log`,
  );
  await storage.close();
  expect(readFileSync(`${path}-wal`, 'utf8')).toBe('a log');
});

test('the file of one library is not taken for that of another', async () => {
  const directory = temporaryDirectory();
  const storage = sqlShardStorage({ databasesDirectory: directory });
  const library = await storage.open('one' as LibraryId);
  await founding(library);
  await library.close();
  copyFileSync(join(directory, 'one.sqlite'), join(directory, 'copy.sqlite'));
  await expect(storage.open('copy' as LibraryId)).rejects.toThrow('holds the library "one", not "copy"');
  expect(await ids(storage)).toEqual(['one']);
  await storage.close();
});

function writeForeign(path: string, journal: string, sql: string): void {
  const db = new Database(path);
  db.pragma(`journal_mode = ${journal.slice(0, journal.indexOf(',') >>> 0)}`);
  db.exec(sql);
  if (journal === 'WAL, killed') {
    // What a killed process leaves: the log beside the file.
    for (const part of ['', '-wal']) copyFileSync(path + part, `${path}${part}.kept`);
    db.close();
    for (const part of ['', '-wal']) {
      copyFileSync(`${path}${part}.kept`, path + part);
      rmSync(`${path}${part}.kept`);
    }
    return;
  }
  db.close();
}

/** Each file of the directory with its bytes, but for locks. */
function contents(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter(
    (name) => !name.includes('lock') && existsSync(join(directory, name)),
  );
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(directory, name)).toString('base64')]),
  );
}

async function founding(library: LibraryStorage): Promise<void> {
  const head = {
    epoch: 0,
    version: 1,
    founded: true,
    order: 0,
    foldedThrough: 0,
    announcedAck: null,
    latest: null,
    horizon: null,
    soleAuthor: null,
    operations: 0,
    baselines: 0,
  };
  expect(await library.commit({ expect: { epoch: 0, version: 0 }, head })).toEqual({ ok: true });
}

async function ids(storage: Storage): Promise<string[]> {
  const all: string[] = [];
  for await (const id of storage.list()) all.push(id);
  return all;
}
