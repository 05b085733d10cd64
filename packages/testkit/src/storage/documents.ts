import { expect } from 'vitest';
import type { StorageTest } from './fixture.js';
import { at, baseline, NO_QUERY, oid, operation } from './rows.js';

/** The document `items/1`, and its neighbours on every side. */
const DOCUMENT = ['items/1', 'items/1:a', 'items/1:b'];
const NEIGHBOURS = [
  'items/0',
  'items/1/x',
  'items/10',
  'items/1;',
  'items/1!',
  'items/10:a',
  'items/2',
  'item/1',
];

export function documentContract(test: StorageTest): void {
  test('reading a document brings its root and nested objects, and no neighbour', async ({ write }) => {
    const writer = await write();
    const all = [...NEIGHBOURS, ...DOCUMENT];
    await writer.commit({
      baselines: all.map((id) => baseline(id)),
      operations: all.map((id, index) => operation(index + 1, { oid: oid(id) })),
    });
    const rows = await writer.library.readDocument(oid('items/1'));
    expect(rows.baselines.map((row) => row.oid)).toEqual(DOCUMENT);
    expect(rows.operations.map((row) => row.oid)).toEqual(DOCUMENT);
    expect(await writer.library.readDocument(oid('items/3'))).toEqual({ baselines: [], operations: [] });
  });

  test('operations of a document come in timestamp order, equal ones in server order', async ({ write }) => {
    const writer = await write();
    await writer.commit({
      operations: [
        operation(1, { timestamp: at(5), oid: oid('items/1:a') }),
        operation(2, { timestamp: at(2) }),
        operation(3, { timestamp: at(5), replicaId: operation(1, {}).replicaId }),
        operation(4, { timestamp: at(1), oid: oid('items/1:a') }),
        operation(5, { timestamp: at(2), replicaId: 'z' as never }),
        operation(6, { timestamp: at(2), replicaId: 'a' as never }),
      ],
    });
    const { operations } = await writer.library.readDocument(oid('items/1'));
    expect(operations.map((row) => row.order)).toEqual([4, 2, 5, 6, 1, 3]);
  });

  test('looking objects up brings exactly these, by oid and timestamp', async ({ write }) => {
    const writer = await write();
    await writer.commit({
      baselines: [...DOCUMENT, ...NEIGHBOURS].map((id) => baseline(id)),
      operations: [
        operation(1, { timestamp: at(3), oid: oid('items/2') }),
        operation(2, { timestamp: at(2), oid: oid('items/1') }),
        operation(3, { timestamp: at(1), oid: oid('items/1') }),
        operation(4, { timestamp: at(1), oid: oid('items/1:a') }),
      ],
    });
    const objects = [oid('items/2'), oid('items/1'), oid('items/none')];
    const found = (await writer.library.lookup({ ...NO_QUERY, objects })).objects;
    expect(found.baselines).toEqual([baseline('items/1'), baseline('items/2')]);
    expect(found.operations.map((row) => row.order)).toEqual([3, 2, 1]);
  });

  test('a baseline is replaced by the next one of its object, and removed', async ({ write }) => {
    const writer = await write();
    await writer.commit({ baselines: [baseline('items/1'), baseline('items/2')] });
    await writer.commit({
      baselines: [baseline('items/1', { snapshot: '{}', timestamp: at(9) })],
      removeBaselines: [oid('items/2'), oid('items/none')],
    });
    const objects = [oid('items/1'), oid('items/2')];
    expect((await writer.library.lookup({ ...NO_QUERY, objects })).objects.baselines).toEqual([
      baseline('items/1', { snapshot: '{}', timestamp: at(9) }),
    ]);
  });

  test('the earliest timestamp after a server order', async ({ write }) => {
    const writer = await write();
    await writer.commit({
      operations: [
        operation(1, { timestamp: at(1) }),
        operation(2, { timestamp: at(9) }),
        operation(3, { timestamp: at(5) }),
      ],
    });
    expect(await writer.library.earliestAfter(0)).toBe(at(1));
    expect(await writer.library.earliestAfter(1)).toBe(at(5));
    expect(await writer.library.earliestAfter(3)).toBe(null);
  });
}
