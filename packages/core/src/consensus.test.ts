import { ReplicaType } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { World } from './testing/world.js';

const acked = async (world: World, id: string) =>
  (await world.info())?.replicas.find((replica) => replica.id === id)?.ackedServerOrder;

describe('acked server order', () => {
  test('[ACK-3] moves over what a replica wrote itself, where that is next', async () => {
    const world = new World();
    const ana = await world.founder();
    await ana.push(ana.set('items/1', 'n', 1));
    expect(await acked(world, ana.id)).toBe(2);
  });

  test('[ACK-3] not past what somebody else wrote and it has not acknowledged', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await bob.push(bob.set('items/1', 'n', 1));
    await ana.push(ana.set('items/1', 'n', 2));
    expect(await acked(world, ana.id)).toBe(1);
    await ana.ackAll();
    expect(await acked(world, ana.id)).toBe(3);
  });

  test('[ACK-4] moves over what a replica may not see', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const authz = btoa('u:ana:*');
    await ana.push(ana.create('items/2', { id: '2' }, { authz }), ana.set('items/2', 'n', 1, { authz }));
    expect(bob.broadcast).toEqual([]);
    expect(await acked(world, bob.id)).toBe(3);
  });

  test('[ACK-2] is never beyond what the connection was sent', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await ana.push(ana.set('items/1', 'n', 1));
    bob.send({ type: 'ack', timestamp: bob.stamp() });
    await world.settle();
    expect(await acked(world, bob.id)).toBe(1);
  });

  test('[ACK-1] [ACK-3] moves over what a replica wrote just before it acknowledged what came earlier', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await ana.push(ana.set('items/1', 'n', 1));
    const operation = bob.set('items/1', 'n', 2);
    bob.send({ type: 'op', timestamp: operation.timestamp, operations: [operation] });
    bob.send({ type: 'ack', timestamp: bob.all('op-re')[0]!.operations[0]!.timestamp });
    await world.settle();
    expect(await acked(world, bob.id)).toBe(3);
  });

  test('[ACK-1] an ack of one operation covers those before it', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    for (let n = 0; n < 4; n++) await ana.push(ana.set('items/1', 'n', n));
    bob.send({ type: 'ack', timestamp: bob.all('op-re')[2]!.operations[0]!.timestamp });
    await world.settle();
    expect(await acked(world, bob.id)).toBe(4);
  });
});

test('[ACK-6] acked logical time is what an ack says, and never moves back', async () => {
  const world = new World();
  await world.founder();
  const bob = await world.member('bob');
  await world.settle(1_000);
  const time = async () => (await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedLogicalTime;
  const said = bob.stamp();
  for (const timestamp of [said, bob.stamp(-500)]) {
    bob.send({ type: 'ack', timestamp });
    await world.settle();
    expect(await time()).toBe(said);
  }
});

test('[ACK-5] an ack of a replica that has been away for too long is ignored until it has synced', async () => {
  const world = new World({ replicaTruancyMinutes: 60 });
  const ana = await world.founder();
  const bob = await world.member('bob');
  await ana.push(ana.set('items/1', 'n', 1));
  const [missed] = bob.all('op-re');
  bob.disconnect();
  await world.settle(61 * 60_000);
  const before = (await world.info())?.replicas.find(({ id }) => id === bob.id);
  bob.connect();
  bob.send({ type: 'ack', timestamp: missed!.operations[0]!.timestamp });
  await world.settle();
  expect((await world.info())?.replicas.find(({ id }) => id === bob.id)).toEqual({ ...before, truant: true });
});

describe('the global ack', () => {
  test('[FOLD-1] [FOLD-2] is the least of what those that count have acknowledged, announced when it rose, coalesced', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await world.settle(1_000);
    ana.inbox = [];
    bob.inbox = [];
    for (let n = 0; n < 10; n++) await ana.push(ana.set('items/1', 'n', n));
    await bob.ackAll();
    await world.settle(1_000);
    expect(ana.all('global-ack')).toHaveLength(1);
    const { globalAck, replicas } = (await world.info())!;
    expect(ana.all('global-ack')).toEqual([{ type: 'global-ack', timestamp: globalAck }]);
    expect(globalAck).toBe(replicas.map(({ ackedLogicalTime }) => ackedLogicalTime!).sort()[0]);
    await world.settle(10_000);
    expect(ana.all('global-ack')).toHaveLength(1);
  });

  test('[FOLD-2] is announced at most about once a second, however often it rises', async () => {
    const world = new World();
    const ana = await world.founder();
    await world.settle(2_000);
    ana.inbox = [];
    for (let n = 0; n < 50; n++) {
      await ana.push(ana.set('items/1', 'n', n));
      await world.settle(100);
    }
    expect(ana.all('global-ack').length).toBeGreaterThan(3);
    expect(ana.all('global-ack').length).toBeLessThan(7);
    await world.settle(1_000);
    expect(ana.all('global-ack').at(-1)?.timestamp).toBe((await world.info())!.globalAck);
  });

  test('[FOLD-2] of a library with few operations waits while the server is busy with others, and not for ever', async () => {
    const world = new World();
    const ana = await world.founder();
    await world.settle(2_000);
    const others = Array.from({ length: 65 }, (_, n) =>
      world.device('ana', { library: `other-${n}`, type: ReplicaType.PassiveRealtime }).connect(),
    );
    ana.inbox = [];
    await ana.push(ana.set('items/1', 'n', 1));
    let told = 0;
    for (; told < 20_000 && ana.all('global-ack').length === 0; told += 500) {
      for (const other of others) other.send({ type: 'heartbeat' });
      await world.settle(500);
    }
    expect(told).toBeGreaterThan(5_000);
    expect(told).toBeLessThan(12_000);
  });

  test('[FOLD-4] rises when a replica that counted turns truant, with nobody sending anything', async () => {
    const world = new World({ replicaTruancyMinutes: 10 });
    const ana = await world.founder();
    const bob = await world.member('bob');
    bob.disconnect();
    await ana.push(ana.set('items/1', 'n', 1));
    await ana.push(ana.set('items/1', 'n', 2));
    await world.settle(5 * 60_000);
    expect((await world.info())?.operationsCount).toBe(2);
    ana.inbox = [];
    await world.settle(6 * 60_000);
    expect(ana.all('global-ack')).toHaveLength(1);
    expect((await world.info())?.operationsCount).toBe(1);
  });

  test('[FOLD-1] [FOLD-4] rises when a passive replica leaves', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob', { type: ReplicaType.PassiveRealtime });
    await ana.push(ana.set('items/1', 'n', 1));
    await ana.push(ana.set('items/1', 'n', 2));
    await world.settle(5_000);
    const before = (await world.info())!.globalAck!;
    bob.disconnect();
    await world.settle(5_000);
    expect((await world.info())!.globalAck! > before).toBe(true);
  });

  test('[FOLD-3] that was announced never falls, though a passive replica that returns lowers the computed one', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob', { type: ReplicaType.ReadOnlyRealtime });
    bob.disconnect();
    for (let n = 0; n < 3; n++) await ana.push(ana.set('items/1', 'n', n));
    await world.settle(1_000);
    const announced = (await world.info())!.globalAck!;
    const slow = world
      .device('bob', { id: bob.id, type: ReplicaType.ReadOnlyRealtime, skew: -30_000 })
      .connect();
    await slow.sync({ since: slow.stamp(-60_000) });
    await world.settle(1_000);
    expect((await world.info())!.globalAck).toBe(announced);
  });

  test('[FOLD-5] is durable before it is announced, with the acks that it relies on', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    await ana.push(ana.set('items/1', 'n', 1));
    await bob.ackAll();
    await world.settle(510);
    const announced = ana.all('global-ack').at(-1)?.timestamp;
    expect(announced).toBeDefined();
    world.crash();
    const info = await world.info();
    expect(info?.globalAck).toBe(announced);
    expect(info?.replicas.every(({ ackedLogicalTime }) => ackedLogicalTime! >= announced!)).toBe(true);
  });
});

describe('a replica', () => {
  test('[FOLD-6] is seen by an open socket that has synced, not by connecting or by its presence', async () => {
    const world = new World({ replicaTruancyMinutes: 60 });
    await world.founder();
    const bob = await world.member('bob');
    const isTruant = async () => (await world.info())?.replicas.find(({ id }) => id === bob.id)?.truant;
    await world.settle(3 * 60 * 60_000);
    expect(await isTruant()).toBe(false);
    // It is written down, too: a process that has died was seen by nobody.
    world.crash();
    expect(await isTruant()).toBe(false);
    bob.disconnect();
    await world.settle(61 * 60_000);
    bob.connect();
    bob.send({ type: 'presence-update', presence: {} });
    await world.settle();
    expect(await isTruant()).toBe(true);
    await bob.sync({ since: bob.stamp() });
    expect(await isTruant()).toBe(false);
  });

  test('[FOLD-6] is seen by an op and by an ack', async () => {
    const world = new World({ replicaTruancyMinutes: 60 });
    await world.founder();
    const bob = world.device('bob');
    await bob.post(bob.syncMessage());
    const isTruant = async () => (await world.info())?.replicas.find(({ id }) => id === bob.id)?.truant;
    await world.settle(50 * 60_000);
    await bob.post({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'n', 1)] });
    await world.settle(50 * 60_000);
    expect(await isTruant()).toBe(false);
    await bob.post({ type: 'ack', timestamp: bob.stamp() });
    await world.settle(50 * 60_000);
    expect(await isTruant()).toBe(false);
    await world.settle(11 * 60_000);
    expect(await isTruant()).toBe(true);
  });

  test('[FOLD-8] has the type of the token that it last synced with', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    bob.disconnect();
    await world.settle(10);
    const passive = world.device('bob', { id: bob.id, type: ReplicaType.PassiveRealtime }).connect();
    await passive.sync({ since: passive.stamp() });
    expect((await world.info())?.replicas.find(({ id }) => id === bob.id)?.type).toBe(
      ReplicaType.PassiveRealtime,
    );
    passive.disconnect();
    for (let n = 0; n < 5; n++) await ana.push(ana.set('items/1', 'n', n));
    await world.settle(5_000);
    expect((await world.info())?.operationsCount).toBe(1);
  });
});

describe('history', () => {
  test('[FOLD-9] is folded when all that count hold it, and not before', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    for (let n = 0; n < 5; n++) await ana.push(ana.set('items/1', 'n', n));
    await world.settle(5_000);
    expect((await world.info())?.operationsCount).toBe(5);
    await bob.ackAll();
    await world.settle(2_000);
    expect(await world.info()).toMatchObject({ operationsCount: 1, baselinesCount: 1, latestServerOrder: 6 });
    expect(await world.snapshot('items', '1')).toEqual({ id: '1', title: 'one', n: 4 });
  });

  test('[FOLD-9] [FOLD-5] is folded by the commit that the announcement waits for', async () => {
    const world = new World();
    const ana = await world.founder();
    await ana.push(ana.set('items/1', 'n', 1), ana.set('items/1', 'n', 2));
    for (let ms = 0; ms < 1_000 && ana.all('global-ack').length === 0; ms++) await world.settle(1);
    expect(ana.all('global-ack')).toHaveLength(1);
    world.crash();
    expect(await world.info()).toMatchObject({ operationsCount: 1, baselinesCount: 1 });
  });

  test('[FOLD-9] is held back by a replica that is away, until it is truant; nothing is lost to it', async () => {
    const world = new World({ replicaTruancyMinutes: 60 });
    const ana = await world.founder();
    const bob = await world.member('bob');
    const since = bob.stamp();
    bob.disconnect();
    for (let n = 0; n < 5; n++) await ana.push(ana.set('items/1', 'n', n));
    await world.settle(30 * 60_000);
    bob.connect();
    expect((await bob.sync({ since })).operations).toHaveLength(5);
  });

  test('[FOLD-7] [FOLD-13] is not held back by a passive replica that is away', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob', { type: ReplicaType.PassivePush });
    await bob.post(bob.syncMessage());
    for (let n = 0; n < 5; n++) await ana.push(ana.set('items/1', 'n', n));
    await world.settle(60_000);
    expect((await world.info())?.operationsCount).toBe(6);
    await world.settle(6 * 60_000);
    expect((await world.info())?.operationsCount).toBe(1);
  });

  test('[FOLD-11] is folded to the time of the last operation and the access of the last initialize', async () => {
    const world = new World();
    const ana = await world.founder();
    const authz = btoa('u:ana:*');
    const last = ana.set('notes/1', 'n', 1);
    await ana.push(ana.create('notes/1', { id: '1' }, { authz }), { ...last, timestamp: ana.stamp() });
    await ana.push(ana.create('notes/2', { id: '2' }, { authz }), ana.operation('notes/2', { op: 'delete' }));
    const open = ana.create('notes/2', { id: '2', open: true });
    await ana.push(open, ana.operation('items/1', { op: 'delete' }));
    const folded = ana.operation('notes/1', { op: 'touch' });
    await ana.push(folded);
    await ana.push(ana.operation('items/2', { op: 'touch' }));
    await world.settle(3_000);
    const { baselines, operations } = await world.device('ana').connect().sync();
    expect(operations).toHaveLength(1);
    expect(baselines).toEqual([
      { oid: 'notes/1', snapshot: { id: '1', n: 1 }, timestamp: folded.timestamp, authz },
      { oid: 'notes/2', snapshot: { id: '2', open: true }, timestamp: open.timestamp },
    ]);
  });

  test('is folded no more once the service is closed, whenever that is', async () => {
    for (let ms = 0; ms <= 1_000; ms += 50) {
      const world = new World();
      const ana = await world.founder();
      await ana.push(ana.set('items/1', 'n', 1));
      await ana.ackAll();
      await world.settle(ms);
      const closed = world.core.close();
      await world.settle(5_000);
      await closed;
      expect(world.logged.filter(([level]) => level === 'error')).toEqual([]);
    }
  });

  test('[FOLD-18] is kept where rebasing is disabled', async () => {
    const world = new World({ disableRebasing: true });
    const ana = await world.founder();
    for (let n = 0; n < 5; n++) await ana.push(ana.set('items/1', 'n', n));
    await world.settle(10_000);
    expect((await world.info())?.operationsCount).toBe(6);
  });

  test('[FOLD-9] [FOLD-10] of an object with an earlier operation that may not be folded waits for it', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const early = bob.set('items/1', 'n', 'early');
    await world.settle(1_000);
    await ana.push(ana.set('items/1', 'n', 'late'));
    await bob.ackAll();
    await bob.push(early);
    await ana.push(ana.set('items/2', 'x', 1));
    await world.settle(3_000);
    expect(await world.snapshot('items', '1')).toMatchObject({ n: 'late' });
    await ana.ackAll();
    await bob.ackAll();
    await world.settle(3_000);
    expect(await world.snapshot('items', '1')).toMatchObject({ n: 'late' });
    expect((await world.info())!.operationsCount).toBeLessThan(3);
  });

  test('[FOLD-16] server orders go on after everything was folded and the server restarted', async () => {
    const world = new World();
    const ana = await world.founder();
    for (let n = 0; n < 5; n++) await ana.push(ana.set('items/1', 'n', n));
    await world.settle(5_000);
    world.crash();
    ana.connect();
    await ana.sync({ since: ana.stamp() });
    await ana.push(ana.set('items/1', 'n', 9));
    expect((await world.info())?.latestServerOrder).toBe(7);
  });
});
