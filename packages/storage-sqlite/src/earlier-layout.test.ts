import { join } from 'node:path';
import type { Head, OperationRow, Storage } from '@verdant-web/core';
import type { LibraryId, Oid, ReplicaId, Timestamp } from '@verdant-web/protocol';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sqlShardStorage, sqlStorage } from './index.js';
import { temporaryDirectory } from './testing/temporary.js';

const ONE = 'one' as LibraryId;
const TWO = 'two' as LibraryId;

const kinds: Record<string, (directory: string) => { open: () => Storage; file: (id: LibraryId) => string }> =
  {
    shard: (databasesDirectory) => ({
      open: () => sqlShardStorage({ databasesDirectory }),
      file: (id) => join(databasesDirectory, `${id}.sqlite`),
    }),
    file: (directory) => ({
      open: () => sqlStorage({ databaseFile: join(directory, 'verdant.sqlite') }),
      file: () => join(directory, 'verdant.sqlite'),
    }),
  };

const LAYOUTS = [1, 2, 3] as const;
type Layout = (typeof LAYOUTS)[number];
const cases = LAYOUTS.flatMap((layout) =>
  Object.entries(kinds).map(([name, kind]) => ({ layout, name, kind })),
);

test.each(cases)('a database of layout $layout is brought up to date ($name)', async ({ layout, kind }) => {
  const { open, file } = kind(temporaryDirectory());
  await fill(open());
  for (const path of new Set([ONE, TWO].map(file))) makeEarlier(path, layout);
  await expectUpToDate(open());
  // And is that from then on.
  await expectUpToDate(open());
});

test.each(LAYOUTS)('a unified database of layout %i is taken over', async (layout) => {
  const directory = temporaryDirectory();
  const unified = join(directory, 'verdant.sqlite');
  await fill(sqlStorage({ databaseFile: unified }));
  makeEarlier(unified, layout);
  const databasesDirectory = join(directory, 'databases');
  await expectUpToDate(sqlShardStorage({ databasesDirectory, transferFromUnifiedDatabaseFile: unified }));
});

const at = (seconds: number) =>
  `0001${(seconds * 1000).toString(36).padStart(9, '0')}0000node-01` as Timestamp;

const HEAD: Head = {
  epoch: 0,
  version: 1,
  founded: true,
  order: 3,
  foldedThrough: 1,
  announcedAck: at(2),
  latest: at(5),
  horizon: at(5),
  soleAuthor: 'ana' as ReplicaId,
  operations: 2,
  baselines: 1,
};

/** Library one has all that a library has, two nothing but a head. */
async function fill(storage: Storage): Promise<void> {
  const operation = (order: number, timestamp: Timestamp): OperationRow => ({
    order,
    replicaId: 'ana' as ReplicaId,
    oid: 'items/1' as Oid,
    timestamp,
    data: '{"op":"touch"}',
    authz: null,
  });
  await (await storage.open(ONE)).commit({
    expect: { epoch: 0, version: 0 },
    head: HEAD,
    operations: [operation(2, at(5)), operation(3, at(4))],
    baselines: [{ oid: 'items/1' as Oid, snapshot: '{}', timestamp: at(1), authz: null }],
  });
  const empty = { ...HEAD, operations: 0, baselines: 0, latest: null, horizon: at(2) };
  await (await storage.open(TWO)).commit({ expect: { epoch: 0, version: 0 }, head: empty });
  await storage.close();
}

function makeEarlier(path: string, layout: Layout): void {
  const db = new Database(path);
  db.exec('ALTER TABLE operation DROP COLUMN version; ALTER TABLE operation DROP COLUMN acked_order;');
  if (layout <= 2) {
    db.exec(`
      ALTER TABLE library DROP COLUMN indexed_through;
      DROP TABLE object_operation;
      CREATE INDEX operation_by_object ON operation (library, oid, timestamp);`);
  }
  if (layout <= 1) {
    db.exec('ALTER TABLE library DROP COLUMN latest; ALTER TABLE library DROP COLUMN horizon;');
  }
  db.pragma(`user_version = ${layout}`);
  db.close();
}

async function expectUpToDate(storage: Storage): Promise<void> {
  const one = await storage.open(ONE);
  expect((await one.load(0))?.head).toEqual(HEAD);
  const { operations } = await one.readDocument('items/1' as Oid);
  expect(operations.map(({ order }) => order)).toEqual([3, 2]);
  expect((await (await storage.open(TWO)).load(0))?.head).toMatchObject({ latest: null, horizon: at(2) });
  await storage.close();
}
