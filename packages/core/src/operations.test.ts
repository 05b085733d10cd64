import { ReplicaType, type Timestamp, VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { memoryStorage } from './memory.js';
import type { LibraryChange, Storage } from './storage/storage.js';
import { listed, World } from './testing/world.js';

describe('an op', () => {
  test('[OP-1] [OP-2] [MSG-3] [MSG-9] is acknowledged with its own timestamp, and reaches the others once, without server fields', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const cat = await world.member('cat');
    bob.inbox = [];
    const operation = bob.set('items/1', 'n', 1);
    bob.send({ type: 'op', timestamp: operation.timestamp, operations: [operation], extra: 'ignored' });
    await world.settle();
    expect(bob.inbox).toEqual([{ type: 'server-ack', timestamp: operation.timestamp }]);
    for (const other of [ana, cat]) {
      expect(other.all('op-re')).toEqual([{ type: 'op-re', replicaId: bob.id, operations: [operation] }]);
    }
  });

  test('[OP-12] [OP-1] that comes with others is told with them, and acknowledged by itself', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const cat = await world.member('cat');
    for (const device of [ana, bob, cat]) device.inbox = [];
    const operations = Array.from({ length: 5 }, (_, n) => bob.set('items/1', 'n', n));
    const others = cat.set('items/1', 'm', 0);
    for (const operation of operations.slice(0, 3)) {
      bob.send({ type: 'op', timestamp: operation.timestamp, operations: [operation] });
    }
    cat.send({ type: 'op', timestamp: others.timestamp, operations: [others] });
    for (const operation of operations.slice(3)) {
      bob.send({ type: 'op', timestamp: operation.timestamp, operations: [operation] });
    }
    await world.settle();
    expect(bob.all('server-ack').map(({ timestamp }) => timestamp)).toEqual(
      operations.map(({ timestamp }) => timestamp),
    );
    expect(ana.all('op-re')).toEqual([
      { type: 'op-re', replicaId: bob.id, operations },
      { type: 'op-re', replicaId: cat.id, operations: [others] },
    ]);
    expect(bob.all('op-re')).toEqual([{ type: 'op-re', replicaId: cat.id, operations: [others] }]);
    // Acknowledging the last of a message says that all of it is held.
    ana.send({ type: 'ack', timestamp: operations.at(-1)!.timestamp });
    await world.settle(2_000);
    const replica = (await world.info())?.replicas.find(({ id }) => id === ana.id);
    expect(replica?.ackedLogicalTime).toBe(operations.at(-1)!.timestamp);
  });

  test('[OP-12] that is large is told by itself', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    ana.inbox = [];
    const operations = [40_000, 40_000, 10].map((length) => bob.set('items/1', 'n', 'x'.repeat(length)));
    for (const operation of operations) {
      bob.send({ type: 'op', timestamp: operation.timestamp, operations: [operation] });
    }
    await world.settle();
    expect(ana.all('op-re').map((message) => message.operations.length)).toEqual([1, 2]);
  });

  test('[OP-3] [SYNC-27] over HTTP does not say that nothing older will come: another request may have failed', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    await world.settle(100);
    await bob.post({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'n', 1)] });
    const replica = (await world.info())?.replicas.find(({ id }) => id === bob.id);
    expect(replica?.ackedLogicalTime).toBe(reset?.type === 'sync-resp' && reset.ackedTimestamp);
  });

  test('[OP-11] on a socket says that nothing older than its last operation will come', async () => {
    const world = new World();
    await world.founder();
    const bob = await world.member('bob');
    await world.settle(100);
    const operation = bob.set('items/1', 'n', 1);
    await bob.push(operation);
    const replica = (await world.info())?.replicas.find(({ id }) => id === bob.id);
    expect(replica?.ackedLogicalTime).toBe(operation.timestamp);
  });

  test('[OP-3] over HTTP gets no ack, and reaches sockets', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob');
    await bob.post(bob.syncMessage());
    expect(
      await bob.post({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'n', 1)] }),
    ).toEqual([]);
    expect(ana.broadcast).toEqual(['items/1 set']);
  });

  test('[SOCK-10] reaches another socket of the same replica', async () => {
    const world = new World();
    const ana = await world.founder();
    const tab = world.device('ana', { id: ana.id }).connect();
    await tab.sync({ since: ana.stamp() });
    await ana.push(ana.set('items/1', 'n', 1));
    expect(tab.broadcast).toEqual(['items/1 set']);
    expect(ana.broadcast).toEqual([]);
  });

  test('[OP-4] does not reach a socket that has not synced, which gets it in its reply', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob').connect();
    bob.send({ type: 'presence-update', presence: {} });
    await ana.push(ana.set('items/1', 'n', 1));
    expect(bob.broadcast).toEqual([]);
    expect(listed(await bob.sync())).toEqual(['items/1 initialize', 'items/1 set']);
  });

  test('[OP-5] of a replica without a record is not stored: the socket is closed so that it syncs, HTTP gets 503', async () => {
    const world = new World();
    const stranger = world.device('ana').connect();
    await stranger.push(stranger.create('items/1', { id: '1' }));
    expect(stranger.closed?.code).toBe(1013);
    await expect(
      stranger.post({
        type: 'op',
        timestamp: stranger.stamp(),
        operations: [stranger.create('items/1', {})],
      }),
    ).rejects.toMatchObject({ code: VerdantErrorCode.Busy, status: 503 });
    expect(await world.info()).toBeNull();
  });

  test('[OP-6] of a truant is not stored before it has synced', async () => {
    const world = new World({ replicaTruancyMinutes: 60 });
    await world.founder();
    const bob = await world.member('bob');
    bob.disconnect();
    await world.settle(61 * 60_000);
    bob.connect();
    await bob.push(bob.set('items/1', 'n', 1));
    expect(bob.closed?.code).toBe(1013);
    expect(await world.snapshot('items', '1')).toEqual({ id: '1', title: 'one' });
  });

  test('[OP-6] of a passive replica that was away is not stored before it has synced', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob', { type: ReplicaType.PassiveRealtime });
    bob.disconnect().connect();
    await bob.push(bob.set('items/1', 'n', 1));
    expect(bob.closed?.code).toBe(1013);
    expect(ana.broadcast).toEqual([]);
  });

  test('[OP-7] of a passive replica may come right behind its sync', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob', { type: ReplicaType.PassiveRealtime }).connect();
    bob.send(bob.syncMessage());
    const operation = bob.set('items/1', 'n', 1, { timestamp: bob.stamp(1) });
    bob.send({ type: 'op', timestamp: operation.timestamp, operations: [operation] });
    await world.settle();
    expect(bob.inbox.map(({ type }) => type)).toEqual(['sync-resp', 'server-ack']);
    expect(ana.broadcast).toEqual(['items/1 set']);
  });

  test('[OP-8] from a read-only token is forbidden', async () => {
    const world = new World();
    const ana = await world.founder();
    const reader = await world.member('bob', { type: ReplicaType.ReadOnlyRealtime });
    await reader.push(reader.set('items/1', 'n', 1));
    expect(reader.all('forbidden')).toHaveLength(1);
    expect(ana.broadcast).toEqual([]);
  });

  test('[SYNC-16] from a read-only token has its device reset by its next sync, once', async () => {
    const world = new World();
    await world.founder();
    const reader = world.device('bob', { type: ReplicaType.ReadOnlyPull });
    const poll = async (since: Timestamp | null) => {
      const [answer] = await reader.post(reader.syncMessage({ since }));
      if (answer?.type !== 'sync-resp') throw new Error('no answer');
      return answer;
    };
    const first = await poll(null);
    const smuggled = reader.create('items/2', { id: '2' });
    await reader.post({ type: 'op', timestamp: smuggled.timestamp, operations: [smuggled] });
    // The device takes what it wrote for synced: it does not bring it again.
    const second = await poll(first.ackedTimestamp);
    expect(second).toMatchObject({ overwriteLocalData: true });
    expect(listed(second)).toEqual(['items/1 initialize']);
    expect(await poll(second.ackedTimestamp)).toMatchObject({ overwriteLocalData: false, operations: [] });
  });

  test('[OP-9] that is repeated is acknowledged again, and stored and sent once', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const operation = bob.set('items/1', 'n', 1);
    await bob.push(operation);
    await bob.push(operation, operation);
    expect(bob.all('server-ack')).toHaveLength(2);
    expect(ana.broadcast).toEqual(['items/1 set']);
    expect((await world.info())?.operationsCount).toBe(2);
  });

  test('[OP-10] without operations is acknowledged, and nobody is sent an empty broadcast', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await bob.push();
    expect(bob.all('server-ack')).toHaveLength(1);
    expect(ana.all('op-re')).toEqual([]);
  });

  test('[LIMIT-5] with a value that the storage cannot keep is refused, and nothing else', async () => {
    const inner = memoryStorage();
    const storage = Object.assign(Object.create(inner), {
      limits: { ...inner.limits, maxValueBytes: 100 },
    }) as Storage;
    storage.open = (id) => inner.open(id);
    const world = new World({ storage });
    const ana = await world.founder();
    const bob = await world.member('bob');
    bob.send({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'n', 'é'.repeat(60))] });
    await ana.push(ana.set('items/1', 'n', 'e'.repeat(60)));
    expect(bob.closed?.code).toBe(VerdantErrorCode.TooLarge);
    expect(ana.all('server-ack')).toHaveLength(1);
    expect(await world.snapshot('items', '1')).toMatchObject({ n: 'e'.repeat(60) });
  });

  test('[PATCH-3] that does not fit its object is stored, and changes nothing', async () => {
    const world = new World();
    const ana = await world.founder();
    await ana.push(
      ana.operation('items/1', { op: 'list-push', value: 1 }),
      ana.operation('items/absent', { op: 'set', name: 'n', value: 1 }),
    );
    await ana.push(ana.operation('items/1', { op: 'touch' }));
    await world.settle(3_000);
    expect(await world.info()).toMatchObject({ operationsCount: 1, baselinesCount: 1 });
    expect(await world.snapshot('items', '1')).toEqual({ id: '1', title: 'one' });
  });

  test('[FOLD-14] that comes late for a deleted and folded object does not bring it back', async () => {
    const world = new World();
    const ana = await world.founder();
    await ana.push(ana.operation('items/1', { op: 'delete' }));
    await ana.push(ana.operation('items/2', { op: 'touch' }));
    await world.settle(3_000);
    await ana.push(ana.set('items/1', 'n', 1));
    await ana.push(ana.operation('items/2', { op: 'touch' }));
    await world.settle(3_000);
    expect(await world.info()).toMatchObject({ baselinesCount: 0 });
    expect(await world.snapshot('items', '1')).toBeNull();
  });
});

describe('what is durable', () => {
  /** Storage whose next commit fails, before or after it took effect. */
  const failing = () => {
    const inner = memoryStorage();
    const control = { fail: null as 'before' | 'after' | null, commits: [] as LibraryChange[] };
    const storage: Storage = {
      limits: inner.limits,
      list: (after) => inner.list(after),
      readRevocations: () => inner.readRevocations(),
      putRevocation: (row) => inner.putRevocation(row),
      close: () => inner.close(),
      async open(id) {
        const library = await inner.open(id);
        return new Proxy(library, {
          get(target, property: keyof typeof library) {
            const value = target[property] as unknown;
            if (property !== 'commit') return typeof value === 'function' ? value.bind(target) : value;
            return async (change: LibraryChange) => {
              const { fail } = control;
              control.fail = null;
              if (fail === 'before') throw new Error('disk full');
              const result = await target.commit(change);
              control.commits.push(change);
              if (fail === 'after') throw new Error('the disk did not say');
              return result;
            };
          },
        });
      },
    };
    return { storage, control };
  };

  test('[DUR-3] nothing is acknowledged or shown when the commit fails: the client is told to come again', async () => {
    const { storage, control } = failing();
    const world = new World({ storage });
    const ana = await world.founder();
    const bob = await world.member('bob');
    bob.inbox = [];
    control.fail = 'before';
    await bob.push(bob.set('items/1', 'n', 1));
    expect(bob.inbox).toEqual([]);
    expect(bob.closed?.code).toBe(1011);
    expect(ana.broadcast).toEqual([]);
    await ana.push(ana.set('items/1', 'n', 2));
    expect(ana.all('server-ack')).toHaveLength(1);
  });

  test('[DUR-4] a commit that took effect, and failed to say so, is found when the message comes again', async () => {
    const { storage, control } = failing();
    const world = new World({ storage });
    const ana = await world.founder();
    const bob = await world.member('bob');
    const operation = bob.set('items/1', 'n', 1);
    control.fail = 'after';
    await bob.push(operation);
    // Nobody was told of it, so everybody has to sync again: what follows would be taken as proof that they hold it.
    expect(ana.closed?.code).toBe(1012);
    bob.connect();
    await bob.sync({ since: bob.stamp(-1_000), operations: [operation] });
    expect((await world.info())?.operationsCount).toBe(2);
    ana.connect();
    expect(listed(await ana.sync({ since: ana.stamp() }))).toEqual(['items/1 set']);
  });

  test('[DUR-5] a message that breaks a commit takes no other with it', async () => {
    const { storage, control } = failing();
    const world = new World({ storage });
    await world.founder();
    const bob = await world.member('bob');
    const cat = await world.member('cat');
    control.fail = 'before';
    bob.send({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'b', 1)] });
    cat.send({ type: 'op', timestamp: cat.stamp(), operations: [cat.set('items/1', 'c', 1)] });
    await world.settle();
    expect(await world.snapshot('items', '1')).toMatchObject({ b: 1, c: 1 });
  });

  test('announcing and folding that fail are tried again, and disturb nobody', async () => {
    const { storage, control } = failing();
    const world = new World({ storage });
    const ana = await world.founder();
    for (let n = 0; n < 5; n++) await ana.push(ana.set('items/1', 'n', n));
    control.fail = 'before';
    await world.settle(510);
    expect(ana.all('global-ack')).toEqual([]);
    await world.settle(5_000);
    expect(ana.all('global-ack')).toHaveLength(1);
    control.fail = 'before';
    await world.settle(10_000);
    expect((await world.info())?.operationsCount).toBe(1);
    expect(ana.isOpen).toBe(true);
  });

  test('[WORK-3] messages that wait are committed together', async () => {
    const { storage, control } = failing();
    const world = new World({ storage });
    const ana = await world.founder();
    control.commits.length = 0;
    for (let n = 0; n < 100; n++) {
      ana.send({ type: 'op', timestamp: ana.stamp(), operations: [ana.set('items/1', 'n', n)] });
    }
    await world.settle();
    expect(control.commits).toHaveLength(1);
    expect(control.commits[0]?.operations).toHaveLength(100);
  });

  test('idle polls cost no commit each', async () => {
    const { storage, control } = failing();
    const world = new World({ storage });
    await world.founder();
    const bob = world.device('bob');
    const [first] = await bob.post(bob.syncMessage());
    await world.settle(60_000);
    control.commits.length = 0;
    let since = first?.type === 'sync-resp' ? first.ackedTimestamp : null;
    for (let poll = 0; poll < 20; poll++) {
      const [answer] = await bob.post(bob.syncMessage({ since }));
      since = answer?.type === 'sync-resp' ? answer.ackedTimestamp : null;
      await world.settle(200);
    }
    expect(control.commits.length).toBeLessThan(8);
  });
});

test('[MSG-7] messages of one connection keep their order, in one library and across a slow opening', async () => {
  const world = new World();
  const ana = world.device('ana').connect();
  ana.send({ type: 'presence-update', presence: {} });
  ana.send(ana.syncMessage({ operations: [ana.create('items/1', [])] }));
  for (let n = 0; n < 5; n++) {
    ana.send({
      type: 'op',
      timestamp: ana.stamp(),
      operations: [ana.operation('items/1', { op: 'list-push', value: n })],
    });
  }
  ana.send({ type: 'heartbeat' });
  await world.settle();
  expect(ana.inbox.map(({ type }) => type)).toEqual([
    'presence-changed',
    'sync-resp',
    'server-ack',
    'server-ack',
    'server-ack',
    'server-ack',
    'server-ack',
    'heartbeat-response',
  ]);
  expect(await world.snapshot('items', '1')).toEqual([0, 1, 2, 3, 4]);
});
