import type { LibraryId } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { type Device, World } from './testing/world.js';

describe('a replica of which it was not known, when it was recorded, what it holds', () => {
  test('[SYNC-31] is reset at its next sync, and keeps what it brings', async () => {
    const { world, ana, bob } = await unsureOfBob();
    ana.connect();
    await ana.sync({ since: ana.stamp() });
    const message = bob.syncMessage({ since: bob.stamp(), operations: [bob.set('items/1', 'by', 'bob')] });
    const [answer] = await bob.post(message);
    expect(answer).toMatchObject({ type: 'sync-resp', overwriteLocalData: true });
    expect(answer?.type === 'sync-resp' && answer.operations.map(({ data }) => data.op)).toEqual([
      'initialize',
      'set',
      'set',
    ]);
    expect(ana.broadcast).toEqual(['items/1 set']);
    expect(await world.snapshot('items', '1')).toMatchObject({ n: 1, by: 'bob' });

    // It is owed once.
    const next = bob.syncMessage({ since: message.timestamp });
    expect(await bob.post(next)).toMatchObject([{ overwriteLocalData: false, operations: [] }]);
  });

  test('[SYNC-31] is reset again where it did not apply that', async () => {
    const { world, bob } = await unsureOfBob();
    const since = bob.stamp();
    const operations = [bob.set('items/1', 'by', 'bob')];
    await bob.post(bob.syncMessage({ since, operations }));
    operations.push(bob.set('items/1', 'also', 'more'));
    expect(await bob.post(bob.syncMessage({ since, operations }))).toMatchObject([
      { overwriteLocalData: true, operations: { length: 4 } },
    ]);
    expect(await world.snapshot('items', '1')).toMatchObject({ by: 'bob', also: 'more' });
  });

  test('[SYNC-31] loses nothing where the answer was lost and the sync comes once more', async () => {
    const { world, bob } = await unsureOfBob();
    const message = bob.syncMessage({ since: bob.stamp(), operations: [bob.set('items/1', 'by', 'bob')] });
    for (let times = 0; times < 2; times++) {
      expect(await bob.post(message)).toMatchObject([{ overwriteLocalData: true }]);
    }
    expect((await world.info())?.operationsCount).toBe(3);
  });

  test('[SYNC-31] may send an operation before', async () => {
    const { world, bob } = await unsureOfBob();
    await bob.post({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'by', 'bob')] });
    expect(await world.snapshot('items', '1')).toMatchObject({ by: 'bob' });
  });
});

/** A library of two operations, and a device that holds the first of them, and perhaps the second. */
async function unsureOfBob(): Promise<{ world: World; ana: Device; bob: Device }> {
  const world = new World();
  const ana = await world.founder();
  const bob = await world.member('bob');
  bob.disconnect();
  await ana.push(ana.set('items/1', 'n', 1));
  ana.disconnect();
  await world.settle();
  const library = await world.storage.open('lib' as LibraryId);
  const { head } = (await library.load(0))!;
  const row = (await library.readReplicas()).find(({ id }) => id === bob.id)!;
  const timestamp = '0'.repeat(24) as typeof head.announcedAck & string;
  await library.commit({
    expect: head,
    head: { ...head, version: head.version + 1 },
    replicas: [{ ...row, pending: [{ timestamp, order: 1, reset: 'owed', late: true }] }],
  });
  world.crash();
  return { world, ana, bob };
}
