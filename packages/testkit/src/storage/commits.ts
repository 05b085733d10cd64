import type { LibraryId } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { collect, dump, readAll } from './dump.js';
import type { StorageTest } from './fixture.js';
import { access, at, baseline, file, head, NO_QUERY, oid, operation, operations, replica } from './rows.js';
import type { Rows } from './writer.js';

export function commitContract(test: StorageTest): void {
  test('a library without a commit holds nothing, and reading it creates nothing', async ({
    storage,
    reopen,
  }) => {
    const library = await storage.open('library' as LibraryId);
    expect(await dump(library)).toEqual({
      loaded: null,
      baselines: [],
      operations: [],
      replicas: [],
      files: [],
      expiredFiles: [],
      evictedFiles: [],
    });
    const nothing = { keys: [], replicas: [], access: [], objects: { baselines: [], operations: [] } };
    expect(await library.lookup({ ...NO_QUERY, objects: [oid('items/1')] })).toEqual(nothing);
    expect(await library.readDocument(oid('items/1'))).toEqual(nothing.objects);
    expect(await library.earliestAfter(0)).toBe(null);
    expect(await library.readFile('file')).toBe(null);
    expect(await library.foldable({ after: 0, through: 9, before: at(9), limit: 9 })).toEqual({
      operations: [],
      baselines: [],
      next: null,
    });
    await library.forgetEvictedFiles(['file']);
    expect(await library.reclaim(10)).toBe(false);
    await library.close();
    expect(await collect(storage.list())).toEqual([]);
    expect(await collect((await reopen()).list())).toEqual([]);
  });

  test('what was committed is there, every field of it', async ({ write }) => {
    const writer = await write();
    const rows = fullChange();
    const now = head({
      version: 7,
      founded: true,
      order: 12,
      foldedThrough: 3,
      announcedAck: at(4),
      latest: at(6),
      horizon: at(5),
      soleAuthor: rows.replicas[0]!.id,
      operations: 2,
      baselines: 2,
    });
    expect(await writer.offer(rows, now)).toEqual({ ok: true });
    const library = writer.library;
    const loaded = await library.load(0);
    expect(loaded?.head).toEqual(now);
    expect(loaded?.replicas).toEqual(expect.arrayContaining(rows.replicas));
    expect(await library.readReplicas()).toEqual(rows.replicas);
    expect(await readAll(library.readOperations(0, 100))).toEqual(rows.operations);
    expect(await readAll(library.readBaselines())).toEqual(rows.baselines);
    expect(await library.readFile('file')).toEqual(rows.files[0]);
    const facts = await library.lookup({
      ...NO_QUERY,
      access: [oid('items/1'), oid('items/2'), oid('items/3')],
    });
    expect(facts.access).toEqual(rows.access);
  });

  test('a library keeps its rows when it is closed and opened again', async ({ write, storage }) => {
    const writer = await write();
    await writer.commit(fullChange());
    const before = await dump(writer.library);
    await writer.library.close();
    expect(await dump(await storage.open('library' as LibraryId))).toEqual(before);
  });

  test('a restarted storage holds what the last one acknowledged', async ({ write, reopen }) => {
    const writer = await write();
    await writer.commit(fullChange());
    const before = await dump(writer.library);
    const storage = await reopen();
    expect(await dump(await storage.open('library' as LibraryId))).toEqual(before);
    expect(await collect(storage.list())).toEqual(['library']);
  });

  test('a closed library answers no more', async ({ write }) => {
    const { library } = await write();
    await library.close();
    await expect(library.load(0)).rejects.toThrow();
  });

  test('a commit decided on another version or epoch changes nothing and is told the head', async ({
    write,
  }) => {
    const writer = await write();
    const first = await writer.offer(fullChange(), head(), { epoch: 0, version: 3 });
    expect(first).toEqual({ ok: false, conflict: head({ version: 0 }) });
    expect(await writer.library.load(0)).toBe(null);

    await writer.commit({ operations: [operation(1)] });
    const before = await dump(writer.library);
    for (const expected of [
      { epoch: 0, version: 0 },
      { epoch: 0, version: 2 },
      { epoch: 1, version: 1 },
    ]) {
      const result = await writer.offer(fullChange(), writer.next({}), expected);
      expect(result).toEqual({ ok: false, conflict: writer.head });
    }
    expect(await dump(writer.library)).toEqual(before);
  });

  test('a soft commit leaves the version as it is', async ({ write }) => {
    const writer = await write();
    await writer.commit({ replicas: [replica('a')] });
    await writer.commit({ replicas: [replica('a', { ackedOrder: 5 })] }, { version: writer.head.version });
    await writer.commit({ operations: [operation(1)] });
    expect((await writer.library.load(0))?.replicas).toEqual([replica('a', { ackedOrder: 5 })]);
  });

  test('[DUR-6] a commit that fails half-way leaves nothing behind', async ({ write }) => {
    const writer = await write();
    await writer.commit({
      operations: [operation(1)],
      baselines: [baseline('items/0')],
      files: [file('old')],
    });
    const before = await dump(writer.library);
    // Server order 1 is taken, by the operation that comes last.
    const rows: Rows = {
      ...fullChange(),
      operations: [operation(2, { replicaId: replica('new').id }), operation(1)],
      removeBaselines: [oid('items/0')],
      removeFiles: ['old'],
    };
    await expect(writer.offer(rows, writer.next(rows))).rejects.toThrow();
    expect(await dump(writer.library)).toEqual(before);
    await writer.commit({ operations: [operation(2, { replicaId: replica('new').id })] });
    expect(await readAll(writer.library.readOperations(1, 9))).toMatchObject([{ replicaId: 'new' }]);
  });

  test('the first commit of a library that fails leaves no library', async ({ write, storage }) => {
    const writer = await write();
    const rows = { operations: [operation(1), operation(1)] };
    await expect(writer.offer(rows, writer.next(rows))).rejects.toThrow();
    expect(await writer.library.load(0)).toBe(null);
    expect(await collect(storage.list())).toEqual([]);
    await writer.commit({ operations: [operation(1)] });
  });

  test('removals come before insertions: a row can be taken away and put afresh in one change', async ({
    write,
  }) => {
    const writer = await write();
    await writer.commit({ replicas: [replica('a')], baselines: [baseline('items/1')], files: [file('f')] });
    await writer.commit({
      removeReplicas: [replica('a').id],
      replicas: [replica('a', { ackedOrder: 9 })],
      removeBaselines: [oid('items/1')],
      baselines: [baseline('items/1', { snapshot: '{"new":true}' })],
      removeFiles: ['f'],
      files: [file('f', { name: 'new' })],
    });
    expect(await writer.library.readReplicas()).toEqual([replica('a', { ackedOrder: 9 })]);
    expect(await readAll(writer.library.readBaselines())).toEqual([
      baseline('items/1', { snapshot: '{"new":true}' }),
    ]);
    expect(await writer.library.readFile('f')).toEqual(file('f', { name: 'new' }));
  });

  test('rows are the storage’s own: changing those given or got changes nothing stored', async ({
    write,
  }) => {
    const writer = await write();
    const rows = fullChange();
    await writer.commit(rows);
    // Copied, or a storage that gives its own rows out would change it with them.
    const before = structuredClone(await dump(writer.library));
    rows.operations[0]!.data = 'changed';
    rows.replicas[1]!.pending[0]!.order = 99;
    const got = await dump(writer.library);
    got.operations[0]!.data = 'changed';
    got.replicas[1]!.pending[0]!.order = 99;
    got.loaded!.head.order = 99;
    expect(await dump(writer.library)).toEqual(before);
  });

  test('a thousand operations in one commit keep server order', async ({ write }) => {
    const writer = await write();
    const rows = operations(1000, (order) => ({
      timestamp: at(2000 - order),
      oid: oid(`items/${order % 7}`),
    }));
    await writer.commit({ operations: rows });
    expect(await readAll(writer.library.readOperations(0, 1000))).toEqual(rows);
  });
}

/** A change with rows of every kind, and with every optional field both set and null. */
const fullChange = () => ({
  operations: [
    operation(11, { authz: access('items/1').authz }),
    operation(12, { replicaId: replica('b').id, oid: oid('items/2:nested') }),
  ],
  baselines: [baseline('items/1'), baseline('items/2', { authz: access('items/2').authz, timestamp: at(3) })],
  replicas: [
    replica('a', { ackedOrder: 4, ackedTime: at(9), writtenThrough: at(11), lastReset: at(3) }),
    replica('b', { type: 5, pending: [{ timestamp: at(8), order: 3, reset: 'first', late: false }] }),
    replica('c', {
      type: 1,
      pending: [
        { timestamp: at(8), order: 0, reset: false, late: true },
        { timestamp: at(9), order: 2, reset: false, late: false },
      ],
    }),
  ],
  access: [access('items/1'), access('items/2', { authz: null, deleted: true })],
  files: [file('file'), file('released', { pendingDeleteAt: 17 })],
});
