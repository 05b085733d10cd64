import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BaselineRow, Head, OperationRow, Storage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { sqlShardStorage, sqlStorage } from './index.js';
import { temporaryDirectory } from './testing/temporary.js';

const COMMITS = 20;
const OPERATIONS = 500;
const MEGABYTE = 1024 * 1024;

const kinds: Record<string, (directory: string) => Storage> = {
  shard: (directory) => sqlShardStorage({ databasesDirectory: directory, durability: 'normal' }),
  file: (directory) => sqlStorage({ databaseFile: join(directory, 'verdant.sqlite'), durability: 'normal' }),
};

test.each(Object.entries(kinds))(
  'the log stays bounded, and evicting gives disk space back (%s)',
  async (_, open) => {
    const directory = temporaryDirectory();
    const storage = open(directory);
    const library = await storage.open('library' as LibraryId);
    let head: Head = { ...EMPTY };
    for (let commit = 0; commit < COMMITS; commit++) {
      const operations = Array.from({ length: OPERATIONS }, (_, index) => operation(head.order + index + 1));
      const next = { ...head, version: head.version + 1, order: head.order + OPERATIONS };
      await library.commit({ expect: head, head: next, operations });
      head = next;
      expect(size(directory, '-wal')).toBeLessThan(10 * MEGABYTE);
    }
    expect(size(directory, '.sqlite')).toBeGreaterThan(5 * MEGABYTE);

    await library.evict({ ...EMPTY, epoch: 1 });
    let calls = 1;
    while (await library.reclaim(5)) calls++;
    // In slices: other libraries have their turn in between.
    expect(calls).toBeGreaterThan(1);
    expect(size(directory, '.sqlite')).toBeLessThan(MEGABYTE / 4);
    expect(size(directory, '-wal')).toBeLessThan(MEGABYTE / 4);
    expect(await library.load(0)).toEqual({ head: { ...EMPTY, epoch: 1 }, replicas: [] });
    await storage.close();
  },
);

test.each(Object.entries(kinds))('a library that shrank gives disk space back (%s)', async (_, open) => {
  const directory = temporaryDirectory();
  const storage = open(directory);
  const library = await storage.open('library' as LibraryId);
  const baselines = Array.from({ length: 10_000 }, (_, index) => baseline(index));
  const held = { ...EMPTY, version: 1, order: 1, baselines: baselines.length };
  await library.commit({ expect: EMPTY, head: held, baselines });
  const full = size(directory, '.sqlite') + size(directory, '-wal');
  expect(full).toBeGreaterThan(5 * MEGABYTE);

  const gone = baselines.slice(1_000).map(({ oid }) => oid);
  const left = { ...held, version: 2, baselines: 1_000 };
  await library.commit({ expect: held, head: left, removeBaselines: gone });
  while (await library.reclaim(5));
  expect(size(directory, '.sqlite')).toBeLessThan(MEGABYTE);
  expect(size(directory, '-wal')).toBeLessThan(MEGABYTE / 4);
  await storage.close();
});

test.each(Object.entries(kinds))(
  'a log that a reader from outside held up shrinks again (%s)',
  async (_, open) => {
    const directory = temporaryDirectory();
    const storage = open(directory);
    const library = await storage.open('library' as LibraryId);
    let head: Head = { ...EMPTY };
    const write = async (commits: number) => {
      for (let commit = 0; commit < commits; commit++) {
        const operations = Array.from({ length: OPERATIONS }, (_, index) =>
          operation(head.order + index + 1),
        );
        const next = { ...head, version: head.version + 1, order: head.order + OPERATIONS };
        await library.commit({ expect: head, head: next, operations });
        head = next;
      }
    };
    await write(1);
    const [name] = readdirSync(directory).filter((each) => each.endsWith('.sqlite'));
    const backup = new Database(join(directory, name!), { readonly: true });
    const reading = backup.prepare('SELECT server_order FROM operation').iterate();
    reading.next();
    await write(COMMITS);
    // Nothing may be copied over what is being read.
    expect(size(directory, '-wal')).toBeGreaterThan(10 * MEGABYTE);
    reading.return?.();
    backup.close();
    await write(3);
    expect(size(directory, '-wal')).toBeLessThan(5 * MEGABYTE);
    await storage.close();
    expect(size(directory, '-wal')).toBe(0);
  },
);

const EMPTY: Head = {
  epoch: 0,
  version: 0,
  founded: false,
  order: 0,
  foldedThrough: 0,
  announcedAck: null,
  latest: null,
  horizon: null,
  soleAuthor: null,
  operations: 0,
  baselines: 0,
};

function baseline(index: number): BaselineRow {
  const snapshot = JSON.stringify({ text: 'x'.repeat(500) });
  const timestamp = `0001${index.toString(36).padStart(9, '0')}0000node-01`;
  // One after the other: what stays of scattered ones would leave its pages half empty.
  const oid = `items/${String(index).padStart(6, '0')}`;
  return { oid, snapshot, timestamp, authz: null } as unknown as BaselineRow;
}

function operation(order: number): OperationRow {
  const timestamp = `0001${order.toString(36).padStart(9, '0')}0000node-01`;
  const data = JSON.stringify('x'.repeat(1000));
  const row = {
    order,
    replicaId: 'replica',
    oid: `items/${(order * 7919) % 1000}`,
    timestamp,
    data,
    authz: null,
  };
  return row as unknown as OperationRow;
}

function size(directory: string, ending: string): number {
  const files = readdirSync(directory).filter((name) => name.endsWith(ending));
  return files.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}
