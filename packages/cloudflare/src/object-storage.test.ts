import { randomUUID } from 'node:crypto';
import { emptyHead, type LibraryStorage, type OperationRow } from '@verdant-web/core';
import type { LibraryId, Oid, ReplicaId, Timestamp } from '@verdant-web/protocol';
import { SCHEMA_VERSION } from '@verdant-web/storage-sql';
import { storageContract } from '@verdant-web/testkit/storage';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RemoteStorageObject } from './testing/remote-storage.js';
import { type KitWorker, startKitWorker } from './testing/start-kit-worker.js';

let worker: KitWorker;
beforeAll(async () => {
  worker = await startKitWorker();
});
afterAll(() => worker.stop());

storageContract({
  name: 'ObjectStorage in a Durable Object',
  // It is, but not by its own doing: the runtime holds answers back until what was written is durable. To be killed it would
  // need a program of its own around each object, which would prove the runtime.
  durable: false,
  async create() {
    const object = newObject();
    return {
      storage: await object.reopen(),
      reopen: () => object.reopen(),
      dispose: () => object.remove(),
    };
  },
});

test('what was acknowledged is there after the object was thrown out of memory', async () => {
  const object = newObject();
  const library = await (await object.reopen()).open(id('library'));
  await append(library, operation(1, '"kept"'));
  await object.die();
  await expect(library.load(0)).rejects.toThrow();
  const again = await (await object.reopen()).open(id('library'));
  expect((await again.load(0))?.head.operations).toBe(1);
  expect(await all(again.readOperations(0, 9))).toEqual([[operation(1, '"kept"')]]);
});

test('an object in which nothing was stored has no tables', async () => {
  const object = newObject();
  const storage = await object.reopen();
  await (await storage.open(id('library'))).load(0);
  await storage.readRevocations();
  expect(await all(storage.list())).toEqual([]);
  expect(
    await object.sql("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf\\_%' ESCAPE '\\'"),
  ).toEqual([]);
});

test('more libraries than are listed at a time are all listed, from any of them on', async () => {
  const storage = await newObject().reopen();
  const ids = Array.from({ length: 501 }, (_, index) => id(`library-${String(index).padStart(3, '0')}`));
  for (const one of ids) await append(await storage.open(one), operation(1));
  const listed = await all(storage.list());
  expect([...listed].sort()).toEqual(ids);
  expect(await all(storage.list(listed[0]))).toEqual(listed.slice(1));
});

test('evicting a library, or never adopting what was staged, gives its room back', async () => {
  const object = newObject();
  const library = await (await object.reopen()).open(id('library'));
  await append(library, operation(1));
  const before = await object.databaseBytes();
  const rows = Array.from({ length: 8 }, (_, index) => operation(index + 2, megabyte(index)));
  const reclaim = async () => {
    while (await library.reclaim(5));
    return (await object.databaseBytes()) - before;
  };

  await library.discardStage(await library.stage(pagesOf(rows)));
  expect((await object.databaseBytes()) - before).toBeGreaterThan(8_000_000);
  expect(await reclaim()).toBeLessThan(1_000_000);

  const head = { ...emptyHead, version: 2, founded: true, order: 9, operations: 9 };
  await library.commit({ expect: { epoch: 0, version: 1 }, head, operations: rows });
  expect((await object.databaseBytes()) - before).toBeGreaterThan(8_000_000);
  await library.evict({ ...emptyHead, epoch: 1 });
  expect(await reclaim()).toBeLessThan(1_000_000);
});

test('a storage that was closed is used no more', async () => {
  const storage = await newObject().reopen();
  const library = await storage.open(id('library'));
  await append(library, operation(1));
  await storage.close();
  const head = { ...emptyHead, version: 2, founded: true, order: 1, operations: 1 };
  await expect(library.load(0)).rejects.toThrow('closed');
  await expect(library.commit({ expect: { epoch: 0, version: 1 }, head })).rejects.toThrow('closed');
  await expect(storage.open(id('library'))).rejects.toThrow('closed');
  await expect(all(storage.list())).rejects.toThrow('closed');
  await expect(storage.readRevocations()).rejects.toThrow('closed');
});

test('a database that a newer version wrote is refused, and left as it was', async () => {
  const object = newObject();
  await append(await (await object.reopen()).open(id('library')), operation(1));
  const [now] = await object.sql("SELECT value FROM verdant_object WHERE name = 'layout'");
  await object.sql("UPDATE verdant_object SET value = '999' WHERE name = 'layout'");
  await expect(object.reopen()).rejects.toThrow('newer version of Verdant (layout 999');
  await object.sql(`UPDATE verdant_object SET value = '${now!.value}' WHERE name = 'layout'`);
  const library = await (await object.reopen()).open(id('library'));
  expect(await all(library.readOperations(0, 9))).toEqual([[operation(1)]]);
});

test('a database of an earlier layout is brought up to date', async () => {
  const object = newObject();
  await append(await (await object.reopen()).open(id('library')), operation(1));
  // Layout 1.
  await object.sql(`
    ALTER TABLE operation DROP COLUMN version; ALTER TABLE operation DROP COLUMN acked_order;
    ALTER TABLE library DROP COLUMN indexed_through;
    DROP TABLE object_operation;
    CREATE INDEX operation_by_object ON operation (library, oid, timestamp);
    ALTER TABLE library DROP COLUMN latest; ALTER TABLE library DROP COLUMN horizon;
    UPDATE verdant_object SET value = '1' WHERE name = 'layout'`);
  // And is that from then on.
  for (let opened = 0; opened < 2; opened++) {
    const library = await (await object.reopen()).open(id('library'));
    const { timestamp } = operation(1);
    expect((await library.load(0))?.head).toMatchObject({ latest: timestamp, horizon: timestamp });
    expect((await library.readDocument('items/1' as Oid)).operations).toEqual([operation(1)]);
  }
  expect(await object.sql("SELECT value FROM verdant_object WHERE name = 'layout'")).toEqual([
    { value: String(SCHEMA_VERSION) },
  ]);
});

const newObject = () => new RemoteStorageObject(worker.base, randomUUID());

const id = (text: string) => text as LibraryId;

const operation = (order: number, data = '{}'): OperationRow => ({
  order,
  replicaId: 'replica' as ReplicaId,
  oid: 'items/1' as Oid,
  timestamp: `0001${order.toString(36).padStart(9, '0')}0000node-01` as Timestamp,
  data,
  authz: null,
});

/** The first commit of a library. */
async function append(library: LibraryStorage, row: OperationRow): Promise<void> {
  const head = { ...emptyHead, version: 1, founded: true, order: row.order, operations: 1 };
  const change = { expect: { epoch: 0, version: 0 }, head, operations: [row] };
  expect(await library.commit(change)).toEqual({ ok: true });
}

/** Of JSON text. */
const megabyte = (seed: number): string => JSON.stringify(String(seed).repeat(1_048_576));

async function* pagesOf(rows: readonly OperationRow[]) {
  for (const row of rows) yield { operations: [row] };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
