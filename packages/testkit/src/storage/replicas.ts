import { expect } from 'vitest';
import type { StorageTest } from './fixture.js';
import { access, NO_QUERY, oid, replica, replicaId } from './rows.js';

export function replicaContract(test: StorageTest): void {
  test('loading brings the replicas seen at or after a time; the others are looked up', async ({ write }) => {
    const { library, ...writer } = await openWith(write, [
      replica('a', { lastSeen: 99 }),
      replica('b', { lastSeen: 100 }),
      replica('c', { lastSeen: 101 }),
    ]);
    expect((await library.load(100))?.replicas.map((row) => row.id).sort()).toEqual(['b', 'c']);
    expect((await library.load(1000))?.replicas).toEqual([]);
    const query = { ...NO_QUERY, replicas: [replicaId('a'), replicaId('x'), replicaId('c')] };
    const found = (await library.lookup(query)).replicas;
    expect(found).toHaveLength(2);
    expect(found).toEqual(expect.arrayContaining([writer.rows[0], writer.rows[2]]));
  });

  test('a replica that comes again replaces its row, and can be removed', async ({ write }) => {
    const writer = await write();
    await writer.commit({ replicas: [replica('b'), replica('a')] });
    await writer.commit({ replicas: [replica('a', { lastSeen: 5_000, ackedOrder: 3 })] });
    expect(await writer.library.readReplicas()).toEqual([
      replica('a', { lastSeen: 5_000, ackedOrder: 3 }),
      replica('b'),
    ]);
    expect((await writer.library.load(5_000))?.replicas).toHaveLength(1);
    await writer.commit({ removeReplicas: [replicaId('a'), replicaId('never')] });
    expect(await writer.library.readReplicas()).toEqual([replica('b')]);
  });

  test('access of a document is what was put last', async ({ write }) => {
    const writer = await write();
    await writer.commit({ access: [access('items/1'), access('items/2')] });
    await writer.commit({ access: [access('items/1', { authz: null, deleted: true })] });
    const found = await writer.library.lookup({ ...NO_QUERY, access: [oid('items/1'), oid('items/9')] });
    expect(found.access).toEqual([access('items/1', { authz: null, deleted: true })]);
  });
}

async function openWith(
  write: Parameters<Parameters<StorageTest>[1]>[0]['write'],
  rows: ReturnType<typeof replica>[],
) {
  const writer = await write();
  await writer.commit({ replicas: rows });
  return { library: writer.library, rows };
}
