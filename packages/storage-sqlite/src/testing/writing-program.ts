import { writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Head, OperationRow } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { sqlShardStorage, sqlStorage } from '../index.js';

/**
 * Commits to one library without a pause, and prints the head's server order after each commit that was acknowledged.
 * Every commit appends some operations, folds the older ones, and counts them in one baseline.
 */
const [kind, directory] = process.argv.slice(2) as [string, string];
const storage =
  kind === 'shard'
    ? sqlShardStorage({ databasesDirectory: directory })
    : sqlStorage({ databaseFile: join(directory, 'verdant.sqlite') });

const library = await storage.open('library' as LibraryId);
const start: Head = {
  epoch: 0,
  version: 0,
  founded: true,
  order: 0,
  foldedThrough: 0,
  announcedAck: null,
  soleAuthor: null,
  operations: 0,
  baselines: 1,
};
let head = (await library.load(0))?.head ?? start;
writeSync(1, `${head.order}\n`);

for (;;) {
  const count = 1 + (head.version % 40);
  const operations = Array.from({ length: count }, (_, index) => operation(head.order + 1 + index));
  const foldedThrough = Math.max(head.foldedThrough, head.order - 20);
  const fold = Array.from(
    { length: foldedThrough - head.foldedThrough },
    (_, index) => head.foldedThrough + 1 + index,
  );
  const next: Head = {
    ...head,
    version: head.version + 1,
    order: head.order + count,
    foldedThrough,
    operations: head.operations + count - fold.length,
  };
  const snapshot = JSON.stringify({ folded: foldedThrough });
  const baseline = { oid: 'items/1', snapshot, timestamp: timestamp(foldedThrough), authz: null };
  const result = await library.commit({
    expect: { epoch: head.epoch, version: head.version },
    head: next,
    operations,
    fold,
    baselines: [baseline as never],
  });
  if (!result.ok) throw new Error('Nobody else writes here');
  head = next;
  writeSync(1, `${head.order}\n`);
}

function operation(order: number): OperationRow {
  const data = JSON.stringify({ op: 'set', name: 'n', value: 'x'.repeat(order % 3_000) });
  const row = {
    order,
    replicaId: `r${order % 7}`,
    oid: 'items/1',
    timestamp: timestamp(order),
    data,
    authz: null,
  };
  return row as unknown as OperationRow;
}

function timestamp(moment: number): string {
  return `0001${moment.toString(36).padStart(9, '0')}0000node-01`;
}
