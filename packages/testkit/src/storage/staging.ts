import type { StagedRows } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { collect, dump, readAll } from './dump.js';
import type { StorageTest } from './fixture.js';
import { access, baseline, file, keyOf, NO_QUERY, oid, operation, replica } from './rows.js';

export function stagingContract(test: StorageTest): void {
  test("staged rows are the library's once a commit adopts them", async ({ write, reopen }) => {
    const writer = await write();
    const stage = await writer.library.stage(pagesOf(FIRST, SECOND));
    await writer.commit({ adopt: stage, ...BESIDES }, ADOPTED);
    const expected = await dump(writer.library);
    expect(expected.operations).toEqual([...FIRST.operations, ...SECOND.operations]);
    expect(expected.baselines).toEqual([...FIRST.baselines, ...SECOND.baselines]);
    expect(expected.replicas).toEqual(BESIDES.replicas);
    expect(await writer.library.readFile('with-it')).toEqual(BESIDES.files[0]);
    const facts = await writer.library.lookup({
      ...NO_QUERY,
      keys: FIRST.operations.map(keyOf),
      access: [oid('items/1')],
    });
    expect(facts.keys).toEqual(FIRST.operations.map(keyOf));
    expect(facts.access).toEqual(SECOND.access);

    const reopened = await (await reopen()).open('library' as LibraryId);
    expect(await dump(reopened)).toEqual(expected);
  });

  test('what the library held besides content stays', async ({ write }) => {
    const writer = await write();
    const held = { replicas: [replica('earlier')], files: [file('earlier')] };
    await writer.commit(held, { founded: false });
    const stage = await writer.library.stage(pagesOf(FIRST));
    await writer.commit({ adopt: stage, ...BESIDES }, ADOPTED);
    expect(await writer.library.readReplicas()).toEqual([...held.replicas, ...BESIDES.replicas]);
    expect(await writer.library.readFile('earlier')).toEqual(held.files[0]);
  });

  test('nobody sees staged rows before', async ({ write, storage }) => {
    const writer = await write();
    const nothing = await dump(writer.library);
    await writer.library.stage(pagesOf(FIRST, SECOND));
    expect(await dump(writer.library)).toEqual(nothing);
    expect(await collect(storage.list())).toEqual([]);
    expect(await writer.library.readDocument(oid('items/1'))).toEqual({ baselines: [], operations: [] });
    const facts = await writer.library.lookup({
      keys: FIRST.operations.map(keyOf),
      replicas: [],
      access: [oid('items/1')],
      objects: [oid('items/1')],
    });
    expect(facts).toEqual({ keys: [], replicas: [], access: [], objects: { baselines: [], operations: [] } });
    // Nor are they in the way of what is committed meanwhile.
    await writer.commit({ operations: [operation(1)] });
    expect(await readAll(writer.library.readOperations(0, 9))).toEqual([operation(1)]);
  });

  test('a library goes on from what it adopted', async ({ write }) => {
    const writer = await write();
    const stage = await writer.library.stage(pagesOf(FIRST));
    await writer.commit({ adopt: stage }, ADOPTED);
    await writer.commit({ operations: [operation(5, { replicaId: replica('other').id })] });
    await writer.commit({ fold: [1] });
    const orders = (await readAll(writer.library.readOperations(0, 9))).map(({ order }) => order);
    expect(orders).toEqual([2, 5]);
    const { keys } = await writer.library.lookup({ ...NO_QUERY, keys: FIRST.operations.map(keyOf) });
    expect(keys).toHaveLength(FIRST.operations.length);
  });

  test('a stage outlives a conflict, and is adopted once', async ({ write }) => {
    const writer = await write();
    const stage = await writer.library.stage(pagesOf(FIRST));
    const stale = { epoch: 0, version: 9 };
    const refused = await writer.offer({ adopt: stage }, writer.next({}, ADOPTED), stale);
    expect(refused.ok).toBe(false);
    await writer.commit({ adopt: stage }, ADOPTED);
    const before = await dump(writer.library);
    await expect(writer.offer({ adopt: stage }, writer.next({}))).rejects.toThrow();
    expect(await dump(writer.library)).toEqual(before);
  });

  test('a library with content adopts nothing', async ({ write }) => {
    const writer = await write();
    await writer.commit({ operations: [operation(1)] });
    const before = await dump(writer.library);
    const stage = await writer.library.stage(pagesOf(SECOND));
    await expect(writer.offer({ adopt: stage }, writer.next({}))).rejects.toThrow();
    expect(await dump(writer.library)).toEqual(before);
  });

  test('where the pages break off, staging rejects, and nothing stays', async ({ write }) => {
    const writer = await write();
    const nothing = await dump(writer.library);
    async function* breakingOff() {
      yield FIRST;
      throw new Error('the message was malformed');
    }
    await expect(writer.library.stage(breakingOff())).rejects.toThrow('the message was malformed');
    while (await writer.library.reclaim(50));
    expect(await dump(writer.library)).toEqual(nothing);
  });

  test('reclaiming deletes what was discarded, and leaves what may be adopted', async ({ write }) => {
    const writer = await write();
    const kept = await writer.library.stage(pagesOf(FIRST));
    const discarded = await writer.library.stage(pagesOf(SECOND));
    await writer.library.discardStage(discarded);
    while (await writer.library.reclaim(50));
    await expect(writer.offer({ adopt: discarded }, writer.next({}))).rejects.toThrow();
    await writer.commit({ adopt: kept }, ADOPTED);
    expect(await readAll(writer.library.readOperations(0, 9))).toEqual(FIRST.operations);
  });

  test('an eviction, and a restart, leave nothing to adopt', async ({ write, reopen }) => {
    const writer = await write();
    const stage = await writer.library.stage(pagesOf(FIRST));
    await writer.evict();
    await expect(writer.offer({ adopt: stage }, writer.next({}))).rejects.toThrow();
    const orphan = await writer.library.stage(pagesOf(FIRST));
    const reopened = await (await reopen()).open('library' as LibraryId);
    while (await reopened.reclaim(50));
    const next = writer.next({});
    const { epoch, version } = writer.head;
    const late = reopened.commit({ expect: { epoch, version }, head: next, adopt: orphan });
    await expect(late).rejects.toThrow();
    expect(await readAll(reopened.readOperations(0, 9))).toEqual([]);
  });
}

const FIRST = {
  operations: [operation(1), operation(2, { oid: oid('items/2') })],
  baselines: [baseline('items/1')],
} satisfies StagedRows;

const SECOND = {
  operations: [operation(3), operation(4, { replicaId: replica('b').id })],
  baselines: [baseline('items/2')],
  access: [access('items/1')],
} satisfies StagedRows;

/** What comes with the commit itself. */
const BESIDES = { replicas: [replica('replica')], files: [file('with-it')] };

const ADOPTED = { founded: true, order: 4, foldedThrough: 1, operations: 4, baselines: 2 };

async function* pagesOf(...pages: StagedRows[]): AsyncIterable<StagedRows> {
  yield* pages;
}
