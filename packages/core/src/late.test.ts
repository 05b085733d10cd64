import {
  authzKeyFor,
  formatTimestamp,
  type Operation,
  type PlainValue,
  SERVER_REPLICA_ID,
  type SyncResponseMessage,
  type Timestamp,
  timestampAfter,
} from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { memoryStorage } from './memory.js';
import { type Device, listed, World } from './testing/world.js';

/** A library of which both devices have folded everything through `through`, `items/1` with a title. */
async function folded(world = new World()) {
  const ana = await world.founder();
  const bob = await world.member('bob');
  // What a device wrote before its last reset is sent back to it.
  await world.settle(120_000);
  const through = bob.set('items/1', 'color', 'red');
  await bob.push(through);
  await ana.ackAll();
  await world.settle(3_000);
  expect((await world.info())?.globalAck).toBe(through.timestamp);
  await ana.push(ana.operation('items/1', { op: 'touch' }));
  await bob.ackAll();
  for (const device of [ana, bob]) device.inbox = [];
  return { world, ana, bob, through: through.timestamp };
}

/** What a device was sent of the server's own. */
const repairs = (device: Device): Operation[] =>
  device
    .all('op-re')
    .filter(({ replicaId }) => replicaId === SERVER_REPLICA_ID)
    .flatMap(({ operations }) => operations);

const late = (device: Device, name: string, value: PlainValue): Operation =>
  device.set('items/1', name, value, { timestamp: device.stamp(-60_000) });

describe('an operation that comes late', () => {
  test('[LATE-1] [LATE-2] [LATE-5] is passed on, and its object sent anew to everybody, just after what may be folded', async () => {
    const { ana, bob, through, world } = await folded();
    const operation = late(bob, 'title', 'uno');
    await bob.push(operation);
    expect(bob.all('server-ack')).toHaveLength(1);
    const [repair] = repairs(ana);
    expect(repair).toEqual({
      oid: 'items/1',
      timestamp: expect.any(String),
      data: { op: 'initialize', value: { id: '1', title: 'uno', color: 'red' } },
    });
    expect(ana.all('op-re').map(({ operations }) => operations)).toEqual([[operation], [repair]]);
    expect(bob.all('op-re')).toEqual([{ type: 'op-re', replicaId: SERVER_REPLICA_ID, operations: [repair] }]);
    expect(repair!.timestamp > through).toBe(true);
    expect(repair!.timestamp < bob.stamp(-1_000)).toBe(true);
    expect(await world.snapshot('items', '1')).toEqual({ id: '1', title: 'uno', color: 'red' });
  });

  test('[LATE-1] is one dated as the global ack; one dated after it is not', async () => {
    const { ana, bob, through } = await folded();
    await ana.push(ana.set('items/1', 'n', 1, { timestamp: through }), ana.set('items/1', 'n', 2));
    expect(repairs(bob)).toMatchObject([{ data: { value: { n: 1 } } }]);
  });

  test('[LATE-1] is one dated before what a reset has brought', async () => {
    const world = new World();
    const ana = await world.founder();
    const before = ana.stamp();
    await ana.push(ana.set('items/1', 'title', 'uno'));
    await world.settle(100);
    const bob = await world.member('bob');
    await ana.push(ana.set('items/1', 'color', 'red', { timestamp: before }));
    expect(repairs(bob)).toMatchObject([{ data: { value: { title: 'uno', color: 'red' } } }]);
  });

  test('[LATE-1] is one dated before what a founding has brought, in one piece or in several', async () => {
    for (const limits of [{}, { maxWholeMessageLength: 1 }]) {
      const world = new World({ limits });
      const ana = world.device('ana').connect();
      const before = ana.stamp();
      const baselines = [ana.baseline('items/1', { id: '1' })];
      await ana.sync({ baselines, operations: [ana.set('items/1', 'title', 'one')] });
      await ana.push(ana.set('items/1', 'color', 'red', { timestamp: before }));
      expect(repairs(ana)).toMatchObject([{ data: { value: { title: 'one', color: 'red' } } }]);
    }
  });

  test('[LATE-2] is followed by a time of its own for each object: acknowledging one says nothing of the next', async () => {
    const { ana, bob, world } = await folded();
    await bob.push(bob.create('items/2', { id: '2' }), bob.create('items/3', { id: '3' }));
    await ana.ackAll();
    await world.settle(3_000);
    for (const device of [ana, bob]) device.inbox = [];
    const timestamp = bob.stamp(-60_000);
    await bob.push(...['1', '2', '3'].map((n) => bob.set(`items/${n}`, 'n', 1, { timestamp })));
    const [first, second, third] = repairs(ana);
    expect(new Set([first, second, third].map((repair) => repair?.timestamp)).size).toBe(3);
    for (const operation of bob.all('op-re')[0]!.operations.slice(0, 2)) {
      bob.send({ type: 'ack', timestamp: operation.timestamp });
    }
    await world.settle();
    const info = await world.info();
    const orders = info?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder;
    expect(orders).toBe(info!.latestServerOrder - 1);
  });

  test('[LATE-2] no device may call itself as the server does', async () => {
    const { world } = await folded();
    const impostor = world.device('mallory', { id: SERVER_REPLICA_ID }).connect();
    await impostor.push(impostor.set('items/1', 'n', 1));
    expect(impostor.closed).toMatchObject({ code: 4000, reason: expect.stringContaining('replicaId') });
  });

  test('[LATE-3] stands where its time says, where that can still be told apart', async () => {
    const world = new World();
    const ana = await world.founder();
    await world.settle(120_000);
    const [early, middle] = [ana.stamp(-20_000), ana.stamp(-10_000)];
    await ana.push(
      ana.set('items/1', 'title', 'newer', { timestamp: middle }),
      ana.set('items/1', 'color', 'red', { timestamp: early }),
    );
    const bob = await world.member('bob');
    await ana.push(
      ana.set('items/1', 'title', 'older', { timestamp: ana.stamp(-15_000) }),
      ana.set('items/1', 'color', 'blue', { timestamp: ana.stamp(-14_000) }),
    );
    expect(repairs(bob)).toMatchObject([{ data: { value: { title: 'newer', color: 'blue' } } }]);
    expect(await world.snapshot('items', '1')).toMatchObject({ title: 'newer', color: 'blue' });
    // What is older still comes above what was sent anew.
    await ana.push(ana.set('items/1', 'title', 'oldest', { timestamp: ana.stamp(-25_000) }));
    expect(repairs(bob).at(-1)).toMatchObject({ data: { value: { title: 'oldest', color: 'blue' } } });
  });

  test('[LATE-3] takes nothing from what others wrote in the same moment as the last that may be folded', async () => {
    const { ana, bob, world, through } = await folded();
    let moment = through;
    for (const plus of [1, 2, 3]) {
      moment = timestampAfter(moment, 'abcdefg');
      await ana.push(ana.set('items/1', `field${plus}`, plus, { timestamp: moment }));
    }
    for (const plus of [1, 2, 3]) await bob.push(late(bob, `late${plus}`, plus));
    const next = timestampAfter(moment, 'abcdefg');
    await bob.push(late(bob, 'late4', 4), bob.set('items/1', 'same', 5, { timestamp: next }));
    expect(await world.snapshot('items', '1')).toMatchObject({
      field1: 1,
      field2: 2,
      field3: 3,
      late1: 1,
      late2: 2,
      late3: 3,
      late4: 4,
      same: 5,
    });
  });

  test('[LATE-3] an older version of the whole object does not take the place of a newer one', async () => {
    const { ana, bob } = await folded();
    const timestamp = bob.stamp(-600_000);
    await bob.push(bob.create('items/1', { id: '1', title: 'old' }, { timestamp }), late(bob, 'n', 1));
    expect(repairs(ana)).toMatchObject([{ data: { value: { title: 'one', color: 'red', n: 1 } } }]);
  });

  test('[LATE-3] comes above what may be folded and below what is dated later', async () => {
    const { ana, bob, world } = await folded();
    const { timestamp } = bob.set('items/1', 'n', 0);
    await ana.push(ana.set('items/1', 'n', 'of ana'));
    await bob.push(late(bob, 'shade', 'blue'), late(bob, 'n', 'of bob'));
    expect(repairs(ana)).toMatchObject([{ data: { value: { shade: 'blue', n: 'of bob' } } }]);
    expect(repairs(ana)[0]!.timestamp < timestamp).toBe(true);
    expect(await world.snapshot('items', '1')).toMatchObject({ shade: 'blue', n: 'of ana' });
  });

  test('[LATE-3] that deletes its object is followed by a delete', async () => {
    const { ana, bob, world } = await folded();
    await bob.push(bob.operation('items/1', { op: 'delete' }, { timestamp: bob.stamp(-60_000) }));
    expect(repairs(ana)).toMatchObject([{ oid: 'items/1', data: { op: 'delete' } }]);
    expect(await world.snapshot('items', '1')).toBeNull();
  });

  test('[LATE-3] comes above an earlier one', async () => {
    const { ana, bob, world } = await folded();
    await bob.push(late(bob, 'shade', 'blue'));
    await bob.push(late(bob, 'shade', 'green'), late(bob, 'n', 1));
    expect(repairs(ana).map(({ data }) => data)).toMatchObject([
      { value: { shade: 'blue' } },
      { value: { shade: 'green', n: 1 } },
    ]);
    for (const device of [ana, bob]) await device.ackAll();
    await ana.push(ana.operation('items/1', { op: 'touch' }));
    await bob.ackAll();
    await world.settle(3_000);
    expect(await world.snapshot('items', '1')).toMatchObject({ shade: 'green', n: 1 });
  });

  test('[LATE-4] as the default of a migration stays below what was written since', async () => {
    const { ana, bob } = await folded();
    let counter = 0;
    const zero = (): Timestamp => formatTimestamp({ version: 1, ms: 0, counter: counter++, node: 'migrate' });
    await bob.push(
      bob.set('items/1', 'color', 'none', { timestamp: zero() }),
      bob.set('items/1', 'title', 'none', { timestamp: zero() }),
      bob.set('items/1', 'size', 'none', { timestamp: zero() }),
      bob.create('items/1', { id: '1', title: 'empty' }, { timestamp: zero() }),
    );
    const value = { id: '1', title: 'one', color: 'red', size: 'none' };
    expect(repairs(ana)).toMatchObject([{ data: { op: 'initialize', value } }]);
  });

  test('[LATE-5] by a sync is answered with its object, sent anew; the others are told once', async () => {
    const { ana, bob, world, through } = await folded();
    bob.cut().connect();
    const answer = await bob.sync({ operations: [late(bob, 'n', 1)], since: through });
    expect(listed(answer)).toEqual(['items/1 initialize']);
    expect(bob.all('op-re')).toEqual([]);
    expect(ana.broadcast).toEqual(['items/1 set', 'items/1 initialize']);
    // Until it says so, it is not taken to hold that.
    const acked = async () => {
      const info = await world.info();
      const replica = info?.replicas.find(({ id }) => id === bob.id);
      return info!.latestServerOrder - replica!.ackedServerOrder;
    };
    expect(await acked()).toBeGreaterThan(0);
    await bob.ackAll();
    expect(await acked()).toBe(0);
  });

  test('[LATE-5] by a second sync on the same socket is in its answer alone', async () => {
    const { bob, through } = await folded();
    const answer = await bob.sync({ operations: [late(bob, 'n', 1)], since: through });
    expect(listed(answer)).toContain('items/1 initialize');
    expect(bob.all('op-re')).toEqual([]);
  });

  test('[LATE-5] over HTTP is in the answer to the next sync', async () => {
    const { ana, bob } = await folded();
    const since = bob.stamp();
    await bob.post(bob.syncMessage({ since }));
    await bob.post({ type: 'op', timestamp: bob.stamp(), operations: [late(bob, 'n', 1)] });
    expect(repairs(ana)).toHaveLength(1);
    const [answer] = await bob.post(bob.syncMessage({ since: bob.stamp() }));
    expect(listed(answer as SyncResponseMessage)).toContain('items/1 initialize');
  });

  test('[LATE-6] in a private document shows it to nobody else', async () => {
    const { ana, bob, world } = await folded();
    const authz = authzKeyFor(bob.user);
    await bob.push(bob.create('notes/1', { id: '1', text: 'secret' }, { authz }));
    await ana.ackAll();
    await bob.push(bob.set('items/1', 'n', 2));
    await ana.ackAll();
    await world.settle(3_000);
    for (const device of [ana, bob]) device.inbox = [];
    await bob.push(bob.set('notes/1', 'text', 'hidden', { timestamp: bob.stamp(-60_000) }));
    expect(ana.broadcast).toEqual([]);
    expect(repairs(bob)).toMatchObject([{ authz, data: { value: { text: 'hidden' } } }]);
  });

  test('[LATE-7] is stored with what the server adds, or not at all', async () => {
    const storage = memoryStorage();
    const commits: number[] = [];
    const world = new World({
      storage: {
        ...storage,
        limits: storage.limits,
        open: async (id) => {
          const library = await storage.open(id);
          const commit = library.commit.bind(library);
          library.commit = (change) => {
            if (change.operations?.length) commits.push(change.operations.length);
            return commit(change);
          };
          return library;
        },
      },
    });
    const { bob } = await folded(world);
    commits.length = 0;
    await bob.push(late(bob, 'n', 1), late(bob, 'm', 1));
    expect(commits).toEqual([3]);
  });

  test('[LATE-8] for an object that is not there, and makes none, is passed on alone', async () => {
    const { ana, bob } = await folded();
    await bob.push(bob.set('items/9', 'n', 1, { timestamp: bob.stamp(-60_000) }));
    expect(ana.broadcast).toEqual(['items/9 set']);
  });

  test('[LATE-1] after a restart of the server, too', async () => {
    const { ana, bob, world } = await folded();
    for (const device of [ana, bob]) device.cut();
    world.crash();
    for (const device of [ana, bob]) device.connect();
    await ana.sync({ since: ana.stamp() });
    await bob.sync({ operations: [late(bob, 'n', 1)], since: bob.stamp() });
    expect(repairs(ana)).toHaveLength(1);
  });

  test('[LATE-1] in the same batch as the reset that makes it late', async () => {
    const world = new World();
    const ana = await world.founder();
    const before = ana.stamp();
    await ana.push(ana.set('items/1', 'title', 'uno'));
    const bob = world.device('bob').connect();
    await world.settle();
    bob.send(bob.syncMessage());
    ana.send({
      type: 'op',
      timestamp: ana.stamp(),
      operations: [ana.set('items/1', 'color', 'red', { timestamp: before })],
    });
    await world.settle();
    expect(repairs(bob)).toMatchObject([{ data: { value: { title: 'uno', color: 'red' } } }]);
  });

  test('[SYNC-22] what the server wrote is not stored again where a whole history brings it back', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    const before = ana.stamp();
    const founding = [ana.create('items/1', { id: '1' })];
    await ana.sync({ operations: founding });
    const change = ana.set('items/1', 'n', 1, { timestamp: before });
    await ana.push(change);
    const [repair] = repairs(ana);
    const order = (await world.info())?.latestServerOrder;
    const more = ana.set('items/1', 'm', 1);
    ana.cut().connect();
    await ana.sync({ operations: [...founding, change, repair!, more], since: null, resyncAll: false });
    expect((await world.info())?.latestServerOrder).toBe(order! + 1);
    expect(await world.snapshot('items', '1')).toEqual({ id: '1', n: 1, m: 1 });
  });
});
