import { ReplicaType, VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { World } from './testing/world.js';

describe('a socket', () => {
  test('[SOCK-3] with a token of a type that is not realtime is refused', () => {
    const world = new World();
    for (const type of [ReplicaType.Push, ReplicaType.PassivePush, ReplicaType.ReadOnlyPull]) {
      expect(() => world.device('ana', { type }).connect()).toThrow(
        expect.objectContaining({ code: VerdantErrorCode.Forbidden }),
      );
    }
  });

  test('[SOCK-7] [AUTH-5] is closed when its token expires, with a little tolerance, unless that is turned off', async () => {
    for (const [closeSocketsOnTokenExpiry, closed] of [
      [true, VerdantErrorCode.TokenExpired],
      [false, undefined],
    ] as const) {
      const world = new World({ closeSocketsOnTokenExpiry });
      const ana = world.device('ana');
      ana.connect(ana.token({ expiresAt: world.time.now() + 10_000 }));
      await world.settle(14_000);
      expect(ana.closed).toBeNull();
      await world.settle(2_000);
      expect(ana.closed?.code).toBe(closed);
    }
  });

  test.each([
    ['no JSON', '{"type":'],
    ['no object', '17'],
    ['a field of a wrong type', '{"type":"op","replicaId":7,"operations":[],"timestamp":"x"}'],
    ['an unknown patch op', JSON.stringify({ type: 'op', replicaId: 'r', timestamp: 'x', operations: [{}] })],
  ])(
    '[MSG-1] [REFUSE-1] [REFUSE-2] that sends %s is closed with a code; others, and what came before, are not disturbed',
    async (_name, frame) => {
      const world = new World();
      const ana = await world.founder();
      const bob = await world.member('bob');
      bob.send({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'before', 1)] });
      bob.raw(frame);
      bob.send({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'after', 1)] });
      await world.settle();
      expect(bob.closed?.code).toBe(VerdantErrorCode.InvalidRequest);
      expect(bob.closed?.reason.length).toBeGreaterThan(10);
      expect(ana.broadcast).toEqual(['items/1 set']);
      expect(await world.snapshot('items', '1')).toEqual({ id: '1', title: 'one', before: 1 });
    },
  );

  test('[MSG-2] ignores messages of a type that it does not know', async () => {
    const world = new World();
    const ana = await world.founder();
    ana.send({ type: 'from-the-future', replicaId: 5 });
    ana.send({ type: 'heartbeat' });
    await world.settle();
    expect(ana.inbox).toEqual([{ type: 'heartbeat-response' }]);
  });

  test('[REFUSE-4] [REFUSE-6] that comes back with what was refused is held longer each time, answers heartbeats, and processes nothing', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const held: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      const since = world.time.now();
      bob.connect();
      await bob.sync({ since: bob.stamp() });
      bob.raw('nonsense');
      await world.settle();
      if (bob.isOpen) {
        bob.send({ type: 'heartbeat' });
        bob.send({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'n', 1)] });
        await world.settle();
        expect(bob.inbox.map(({ type }) => type)).toEqual(['heartbeat-response']);
        expect(world.core.refusals.held).toBe(1);
      }
      while (bob.isOpen) await world.settle(500);
      held.push(world.time.now() - since);
    }
    expect(held).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(ana.broadcast).toEqual([]);
    expect(world.core.refusals.held).toBe(0);
  });

  test('[REFUSE-6] [LIMIT-9] that is held is answered no more than it reads', async () => {
    const world = new World();
    await world.founder();
    const bob = await world.member('bob');
    for (let attempt = 0; attempt < 2; attempt++) {
      bob.connect();
      bob.raw('nonsense');
      await world.settle();
    }
    expect(world.core.refusals.held).toBe(1);
    bob.send({ type: 'heartbeat' });
    expect(bob.inbox).toHaveLength(1);
    bob.buffered = 100_000;
    for (let beat = 0; beat < 10; beat++) bob.send({ type: 'heartbeat' });
    expect(bob.inbox).toHaveLength(1);
    expect(bob.isOpen).toBe(true);
  });

  test('[LIMIT-9] of a slow reader is closed when too much waits', async () => {
    const world = new World({ limits: { maxSocketBufferBytes: 1_000 } });
    const ana = await world.founder();
    const bob = await world.member('bob');
    bob.buffered = 2_000;
    await ana.push(ana.set('items/1', 'n', 1));
    expect(bob.closed?.code).toBe(1013);
    expect(ana.isOpen).toBe(true);
  });

  test('[LIMIT-10] is read no further while too much of what it sent waits', async () => {
    const world = new World({ limits: { maxQueuedBytesPerConnection: 1_000 } });
    const ana = await world.founder();
    for (let n = 0; n < 20; n++) {
      ana.send({ type: 'op', timestamp: ana.stamp(), operations: [ana.set('items/1', 'n', n)] });
    }
    expect(ana.paused).toBe(true);
    await world.settle();
    expect(ana.paused).toBe(false);
    expect(ana.all('server-ack')).toHaveLength(20);
  });

  test('[LIMIT-10] is read no further while too many messages wait, however short', async () => {
    const world = new World({ limits: { maxMessagesPerSecondPerConnection: 10_000 } });
    const ana = await world.founder();
    for (let n = 0; n < 20_000; n++) ana.send({ type: 'heartbeat' });
    expect(ana.paused).toBe(true);
    await world.settle();
    expect(ana.paused).toBe(false);
    expect(ana.all('heartbeat-response')).toHaveLength(20_000);
  });

  test('[LIMIT-8] over the limit of a user or a library is refused', async () => {
    const world = new World({ limits: { maxConnectionsPerUser: 2, maxConnectionsPerLibrary: 3 } });
    const busy = expect.objectContaining({ code: VerdantErrorCode.Busy });
    const [a, b] = [world.device('ana').connect(), world.device('ana').connect()];
    expect(() => world.device('ana').connect()).toThrow(busy);
    world.device('bob').connect();
    expect(() => world.device('cat').connect()).toThrow(busy);
    b.disconnect();
    world.device('cat').connect();
    expect(a.isOpen).toBe(true);
  });

  test('[SOCK-9] that is sent a long reply gets what others write meanwhile after it, once', async () => {
    const world = new World();
    const ana = await world.founder();
    await ana.push(
      ...Array.from({ length: 500 }, (_, n) => ana.create(`items/n${n}`, { text: 'x'.repeat(500) })),
    );
    const bob = world.device('bob').connect();
    let open = () => {};
    bob.gate = new Promise((resolve) => {
      open = resolve;
    });
    bob.send(bob.syncMessage());
    await world.settle();
    await ana.push(ana.set('items/1', 'n', 1));
    expect(bob.inbox).toEqual([]);
    await world.settle(1_000);
    expect((await world.info())?.baselinesCount).toBe(0);
    open();
    await world.settle();
    expect(bob.inbox.map(({ type }) => type)).toEqual(['sync-resp', 'op-re', 'global-ack']);
    const [reply] = bob.all('sync-resp');
    expect(reply?.operations).toHaveLength(501);
    await bob.ackAll();
    await world.settle(5_000);
    expect((await world.info())?.operationsCount).toBeLessThan(3);
  });

  test('[FOLD-17] that is sent a long reply keeps what that lists from being folded, until it has left', async () => {
    const world = new World();
    const ana = await world.founder();
    await ana.push(
      ...Array.from({ length: 500 }, (_, n) => ana.create(`items/n${n}`, { text: 'x'.repeat(500) })),
    );
    const bob = await world.member('bob');
    let open = () => {};
    bob.gate = new Promise((resolve) => {
      open = resolve;
    });
    // Bob holds all of it, so that nothing but the reply is in the way.
    bob.send(bob.syncMessage({ since: null, resyncAll: false }));
    await world.settle(10_000);
    expect(await world.info()).toMatchObject({ operationsCount: 501, baselinesCount: 0 });
    open();
    await world.settle(5_000);
    expect(bob.all('sync-resp')).toMatchObject([{ overwriteLocalData: true }]);
    expect((await world.info())?.operationsCount).toBeLessThan(3);
  });
});

describe('closing', () => {
  test('[SOCK-11] finishes what has arrived, then admits nothing', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    bob.inbox = [];
    bob.send({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'n', 1)] });
    const closed = world.core.close();
    expect(() => world.device('cat').connect()).toThrow(
      expect.objectContaining({ code: VerdantErrorCode.Busy }),
    );
    await expect(ana.post({ type: 'heartbeat' })).rejects.toMatchObject({ status: 503 });
    await world.settle(100);
    await closed;
    expect(bob.all('server-ack')).toHaveLength(1);
    expect(bob.closed?.code).toBe(1012);
  });
});
