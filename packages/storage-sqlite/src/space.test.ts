import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Head, OperationRow, Storage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
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
