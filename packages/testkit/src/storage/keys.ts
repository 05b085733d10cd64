import { expect } from 'vitest';
import { readAll } from './dump.js';
import type { StorageTest } from './fixture.js';
import { at, keyOf, NO_QUERY, oid, operation, operations, replicaId } from './rows.js';

export function keyContract(test: StorageTest): void {
  test('operations in the log are known by replica, object and timestamp', async ({ write }) => {
    const writer = await write();
    const stored = operation(1, { replicaId: replicaId('a') });
    await writer.commit({
      operations: [stored, operation(2, { replicaId: replicaId('b'), timestamp: at(1) })],
    });
    const key = keyOf(stored);
    const unknown = [
      { ...key, replicaId: replicaId('c') },
      { ...key, oid: oid('items/2') },
      { ...key, oid: oid('items/1:a') },
      { ...key, timestamp: at(2) },
    ];
    expect((await writer.library.lookup({ ...NO_QUERY, keys: [...unknown, key] })).keys).toEqual([key]);
  });

  test('the key of a folded operation stays, until it is dropped', async ({ write, reopen }) => {
    const writer = await write();
    const rows = operations(6, (order) => ({ replicaId: replicaId(order % 2 ? 'odd' : 'even') }));
    const keys = rows.map(keyOf);
    await writer.commit({ operations: rows });
    await writer.commit({ fold: [1, 2, 3, 4, 5] });
    expect(await readAll(writer.library.readOperations(0, 9))).toEqual([rows[5]]);
    expect((await writer.library.lookup({ ...NO_QUERY, keys })).keys).toEqual(keys);

    await writer.commit({ dropKeys: [{ replicaId: replicaId('odd'), through: at(3) }] });
    const left = [keys[1], keys[3], keys[4], keys[5]];
    expect((await writer.library.lookup({ ...NO_QUERY, keys })).keys).toEqual(left);
    // Dropping is about folded ones: what is in the log is known because it is there.
    await writer.commit({ dropKeys: [{ replicaId: replicaId('even'), through: at(99) }] });
    expect((await writer.library.lookup({ ...NO_QUERY, keys })).keys).toEqual([keys[4], keys[5]]);

    const again = await (await reopen()).open('library' as never);
    expect((await again.lookup({ ...NO_QUERY, keys })).keys).toEqual([keys[4], keys[5]]);
  });

  test('an operation can be appended and folded in one change, and its key dropped with it', async ({
    write,
  }) => {
    const writer = await write();
    const rows = operations(2);
    const replica = rows[0]!.replicaId;
    await writer.commit({
      operations: rows,
      fold: [1, 2],
      dropKeys: [{ replicaId: replica, through: at(1) }],
    });
    expect(await readAll(writer.library.readOperations(0, 9))).toEqual([]);
    expect((await writer.library.lookup({ ...NO_QUERY, keys: rows.map(keyOf) })).keys).toEqual([
      keyOf(rows[1]!),
    ]);
  });

  test('a key that two objects or many replicas share is told apart', async ({ write }) => {
    const writer = await write();
    const rows = operations(300, (order) => ({
      timestamp: at(0),
      replicaId: replicaId(`r${order % 10}`),
      oid: oid(`items/${Math.floor(order / 10)}`),
    }));
    await writer.commit({ operations: rows });
    await writer.commit({ fold: rows.filter((row) => row.order % 3 === 0).map((row) => row.order) });
    const keys = rows.map(keyOf);
    const wrong = keys.map((key) => ({ ...key, timestamp: at(1) }));
    expect((await writer.library.lookup({ ...NO_QUERY, keys: [...keys, ...wrong] })).keys).toEqual(keys);
  });
}
