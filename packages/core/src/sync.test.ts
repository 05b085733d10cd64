import { ReplicaType, type Timestamp, timestampMs, VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { listed, World } from './testing/world.js';

const later = (timestamp: Timestamp): Timestamp => `${timestamp.slice(0, -1)}z` as Timestamp;

describe('an empty library', () => {
  test('[SYNC-1] [SYNC-2] is founded by the first that brings its whole history', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    const answer = await ana.sync({
      baselines: [ana.baseline('items/1', { id: '1', n: 1 }), ana.baseline('items/2', { id: '2' })],
      operations: [ana.set('items/1', 'n', 2)],
    });
    expect(answer).toMatchObject({ overwriteLocalData: false, operations: [], baselines: [] });
    expect(await world.snapshot('items', '1')).toEqual({ id: '1', n: 2 });
    const info = await world.info();
    expect(info).toMatchObject({ latestServerOrder: 2, operationsCount: 1, baselinesCount: 2 });
    expect(info?.replicas[0]).toMatchObject({ id: ana.id, ackedServerOrder: 2 });
  });

  test('[SYNC-3] asks a replica that it does not know for everything, and stores nothing', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    await ana.sync({ since: ana.stamp(), resyncAll: false, operations: [ana.set('items/1', 'n', 1)] });
    expect(ana.all('need-since')).toEqual([{ type: 'need-since', since: null }]);
    expect(await world.info()).toBeNull();
  });

  test('[SYNC-5] leaves a reader as it is, also one that brings content, and does not record it', async () => {
    const world = new World();
    const reader = world.device('ana', { type: ReplicaType.ReadOnlyRealtime }).connect();
    for (const since of [null, reader.stamp()]) {
      const answer = await reader.sync({ since, operations: [reader.create('items/1', { id: '1' })] });
      expect(answer).toMatchObject({ overwriteLocalData: false, operations: [], baselines: [] });
    }
    expect(await world.info()).toBeNull();
  });

  test('[SYNC-4] is founded by whoever brings data first, after others that held none', async () => {
    const world = new World();
    const early = world.device('ana').connect();
    await early.sync();
    const founder = world.device('bob').connect();
    await founder.sync({ baselines: [founder.baseline('items/1', { id: '1' })] });
    expect(early.all('op-re')).toMatchObject([{ operations: [], baselines: [{ oid: 'items/1' }] }]);
  });

  test('[SYNC-4] by a replica that synced it while it was empty, too', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    const first = await ana.sync();
    ana.disconnect().connect();
    const answer = await ana.sync({
      since: first.ackedTimestamp,
      operations: [ana.create('items/1', { id: '1' })],
    });
    expect(answer.overwriteLocalData).toBe(false);
    expect(await world.snapshot('items', '1')).toEqual({ id: '1' });
  });

  test('[SYNC-7] gives its baselines to those recorded before, who hold none of them, and keeps what they bring', async () => {
    const world = new World();
    const early = world.device('ana').connect();
    const { ackedTimestamp } = await early.sync();
    early.disconnect();
    const founder = world.device('bob').connect();
    await founder.sync({ baselines: [founder.baseline('items/1', { id: '1' })] });
    early.connect();
    const operations = [early.create('items/2', { id: '2' })];
    const answer = await early.sync({ since: ackedTimestamp, operations });
    expect(answer).toMatchObject({ overwriteLocalData: true, baselines: [{ oid: 'items/1' }], operations });
    expect(founder.broadcast).toEqual(['items/2 initialize']);
    expect((await early.sync({ since: answer.ackedTimestamp })).overwriteLocalData).toBe(false);
  });

  test('[SYNC-8] not to one that was sent the founding, and was heard of a minute later', async () => {
    for (const [end, again] of [
      ['leaves at once', true],
      ['is heard of while they may be under way', true],
      ['is heard of', false],
      ['leaves', false],
      ['is cut off', true],
    ] as const) {
      for (const limits of [{}, { maxWholeMessageLength: 1 }]) {
        const world = new World({ limits });
        const early = world.device('ana').connect();
        const { ackedTimestamp } = await early.sync();
        const founder = world.device('bob').connect();
        await founder.sync({ baselines: [founder.baseline('items/1', { id: '1' })] });
        if (end !== 'leaves at once') await world.settle(end.includes('while') ? 5_000 : 61_000);
        if (end.startsWith('is heard of')) {
          early.send({ type: 'heartbeat' });
          await world.settle();
          await founder.push(founder.operation('items/2', { op: 'touch' }));
        }
        if (end.startsWith('leaves')) early.disconnect();
        else early.cut();
        early.connect();
        expect((await early.sync({ since: ackedTimestamp })).overwriteLocalData, end).toBe(again);
      }
    }
  });

  test('[SYNC-8] but not one that was sent the founding and acknowledged what followed', async () => {
    const world = new World();
    const early = world.device('ana').connect();
    const { ackedTimestamp } = await early.sync();
    const founder = world.device('bob').connect();
    await founder.sync({
      baselines: [founder.baseline('items/1', { id: '1' })],
      operations: [founder.set('items/1', 'n', 1)],
    });
    await early.ackAll();
    early.disconnect().connect();
    expect((await early.sync({ since: ackedTimestamp })).overwriteLocalData).toBe(false);
  });

  test('[SYNC-6] whose documents were all deleted is not empty', async () => {
    const world = new World();
    const ana = await world.founder();
    await ana.push(ana.operation('items/1', { op: 'delete' }));
    await world.settle(5_000);
    const stale = world.device('bob').connect();
    const answer = await stale.sync({ operations: [stale.create('items/2', { id: '2' })] });
    expect(answer.overwriteLocalData).toBe(true);
    expect(await world.snapshot('items', '2')).toBeNull();
  });
});

describe('a replica is reset', () => {
  test('[SYNC-9] [SYNC-10] when it is new: what it brings is forfeited', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob').connect();
    const answer = await bob.sync({ operations: [bob.create('items/2', { id: '2' })] });
    expect(answer.overwriteLocalData).toBe(true);
    expect(listed(answer)).toEqual(['items/1 initialize']);
    expect(await world.snapshot('items', '2')).toBeNull();
  });

  test('[SYNC-32] to baselines of which those of nested objects come before those that refer to them', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    const ref = (id: string) => ({ '@@type': 'ref' as const, id });
    await ana.sync({
      baselines: [
        ana.baseline('items/1', { id: '1', place: ref('items/1:a') }),
        ana.baseline('items/1:a', { street: ref('items/1:b') }),
        ana.baseline('items/1:b', { name: 'Elm' }),
        ana.baseline('items/2', { id: '2' }),
      ],
    });
    const { baselines } = await world.device('bob').connect().sync();
    expect(baselines.map(({ oid }) => oid)).toEqual(['items/1:b', 'items/1:a', 'items/1', 'items/2']);
  });

  test('[SYNC-11] when it asks to be treated as new', async () => {
    const world = new World();
    await world.founder();
    const bob = await world.member('bob');
    expect((await bob.sync({ since: bob.stamp(), resyncAll: true })).overwriteLocalData).toBe(true);
  });

  test('[SYNC-12] when it sends its whole history to a library of others', async () => {
    const world = new World();
    await world.founder();
    const bob = await world.member('bob');
    const answer = await bob.sync({
      since: null,
      resyncAll: false,
      operations: [bob.set('items/1', 'n', 1)],
    });
    expect(answer.overwriteLocalData).toBe(true);
    expect(listed(answer)).toEqual(['items/1 initialize']);
  });

  test('[SYNC-13] when it was away for too long and others have written', async () => {
    const world = new World({ replicaTruancyMinutes: 60 });
    const ana = await world.founder();
    const bob = await world.member('bob');
    bob.disconnect();
    await ana.push(ana.set('items/1', 'n', 1));
    await world.settle(61 * 60_000);
    expect((await world.info())?.replicas.map(({ truant }) => truant)).toEqual([false, true]);
    bob.connect();
    expect((await bob.sync({ since: bob.stamp() })).overwriteLocalData).toBe(true);
  });

  test('[SYNC-13] but not when nobody has', async () => {
    const world = new World({ replicaTruancyMinutes: 60 });
    await world.founder();
    const bob = await world.member('bob');
    bob.disconnect();
    await world.settle(61 * 60_000);
    bob.connect();
    const answer = await bob.sync({ since: bob.stamp(), operations: [bob.set('items/1', 'n', 1)] });
    expect(answer.overwriteLocalData).toBe(false);
    expect(await world.snapshot('items', '1')).toEqual({ id: '1', title: 'one', n: 1 });
  });

  test('[SYNC-14] when something that it has not acknowledged is only in baselines', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob', { type: ReplicaType.PassiveRealtime });
    const since = bob.stamp();
    bob.disconnect();
    for (let n = 0; n < 5; n++) await ana.push(ana.set('items/1', 'n', n));
    await world.settle(3_000);
    expect((await world.info())?.operationsCount).toBe(1);
    bob.connect();
    expect(await bob.sync({ since })).toMatchObject({
      overwriteLocalData: true,
      baselines: [{ oid: 'items/1' }],
    });
  });

  test('[SYNC-15] when it was away uncounted and brings changes that others may have folded past', async () => {
    const world = new World({ disableRebasing: true });
    const ana = await world.founder();
    const bob = await world.member('bob', { type: ReplicaType.PassiveRealtime });
    const since = bob.stamp();
    bob.disconnect();
    await ana.push(ana.set('items/1', 'n', 1));
    await ana.push(ana.set('items/1', 'n', 2));
    await world.settle(1_000);
    bob.connect();
    const answer = await bob.sync({ since, operations: [bob.set('items/1', 'n', 3)] });
    expect(answer.overwriteLocalData).toBe(true);
    bob.disconnect().connect();
  });

  test('[SYNC-15] not when it was away uncounted and brings nothing', async () => {
    const world = new World({ disableRebasing: true });
    const ana = await world.founder();
    const bob = await world.member('bob', { type: ReplicaType.PassiveRealtime });
    const since = bob.stamp();
    bob.disconnect();
    await ana.push(ana.set('items/1', 'n', 1));
    await ana.push(ana.set('items/1', 'n', 2));
    await world.settle(1_000);
    bob.connect();
    const answer = await bob.sync({ since });
    expect(answer.overwriteLocalData).toBe(false);
    expect(listed(answer)).toEqual(['items/1 set', 'items/1 set']);
  });

  test('[SYNC-16] when it is read-only and brings content, or it would never sync again', async () => {
    const world = new World();
    await world.founder();
    const bob = await world.member('bob', { type: ReplicaType.ReadOnlyRealtime });
    const answer = await bob.sync({ since: bob.stamp(), operations: [bob.set('items/1', 'n', 1)] });
    expect(answer.overwriteLocalData).toBe(true);
    expect(await world.snapshot('items', '1')).toEqual({ id: '1', title: 'one' });
  });

  test('[SYNC-18] not when the reply to its founding was lost: its history is merged', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    const operation = ana.create('items/1', { id: '1', list: 1 });
    await ana.sync({ operations: [operation] });
    ana.disconnect().connect();
    const again = await ana.sync({ operations: [operation, ana.set('items/1', 'n', 1)] });
    expect(again).toMatchObject({ overwriteLocalData: false, operations: [] });
    expect((await world.info())?.operationsCount).toBe(2);
  });

  test('[SYNC-19] nor when the history that it sends again was folded on the device meanwhile', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    await ana.sync({
      baselines: [ana.baseline('items/1', { id: '1', n: 1 }), ana.baseline('items/2', { id: '2' })],
    });
    ana.disconnect().connect();
    const answer = await ana.sync({ baselines: [ana.baseline('items/1', { id: '1', n: 2 })] });
    expect(answer.overwriteLocalData).toBe(false);
    const bob = world.device('bob').connect();
    expect((await bob.sync()).baselines.map(({ oid, snapshot }) => [oid, snapshot])).toEqual([
      ['items/1', { id: '1', n: 2 }],
    ]);
    expect(await world.info()).toMatchObject({ baselinesCount: 1, operationsCount: 0 });
  });

  test('[SYNC-33] nor does that take the place of what it wrote while it read its history: stored, though not in it', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    const history = {
      baselines: [ana.baseline('items/1', { id: '1', n: 1 }), ana.baseline('items/2', { id: '2' })],
      operations: [ana.set('items/1', 'm', 1)],
    };
    await ana.sync(history);
    await ana.push(ana.set('items/1', 'n', 2), ana.create('items/3', { id: '3' }));
    ana.disconnect().connect();
    expect((await ana.sync(history)).overwriteLocalData).toBe(false);
    const expected = { 1: { id: '1', n: 2, m: 1 }, 2: { id: '2' }, 3: { id: '3' } };
    const stored = async () => ({
      1: await world.snapshot('items', '1'),
      2: await world.snapshot('items', '2'),
      3: await world.snapshot('items', '3'),
    });
    expect(await stored()).toEqual(expected);
    expect(await world.info()).toMatchObject({ baselinesCount: 2, operationsCount: 3 });

    // Once more, when the server has folded it.
    await ana.ackAll();
    await world.settle(3_000);
    expect((await world.info())?.operationsCount).toBe(0);
    ana.disconnect().connect();
    expect((await ana.sync(history)).overwriteLocalData).toBe(false);
    expect(await stored()).toEqual(expected);
    const bob = world.device('bob').connect();
    await bob.sync();
    await world.settle(3_000);
    expect(await stored()).toEqual(expected);
    expect((await world.info())?.baselinesCount).toBe(3);
  });

  test('[SYNC-20] once, when it changes to a socket while it applies the reset that it was sent over HTTP', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    bob.connect();
    const given = { baselines: [bob.baseline('items/1', { id: '1', title: 'one' })] };
    bob.send(bob.syncMessage(given));
    await world.settle();
    expect(bob.closed?.code).toBe(1013);
    bob.connect();
    const answer = await bob.sync({ since: reset?.type === 'sync-resp' ? reset.ackedTimestamp : null });
    expect(answer.overwriteLocalData).toBe(false);
    // One that never applied it is reset, when it had the time; what it brings says only how far it got.
    const cat = world.device('cat');
    await cat.post(cat.syncMessage());
    cat.connect();
    cat.send(cat.syncMessage());
    await world.settle();
    expect(cat.closed?.code).toBe(1013);
    await world.settle(6_000);
    cat.connect();
    expect((await cat.sync(given)).overwriteLocalData).toBe(true);
  });

  test('[SYNC-24] nor does a history that was long under way replace what the replica has sent since', async () => {
    const world = new World();
    const ana = world.device('ana');
    const baselines = [ana.baseline('items/1', { id: '1', n: 1 })];
    const delayed = ana.syncMessage({ baselines });
    await world.settle(10);
    ana.connect();
    await ana.sync({ baselines });
    await ana.push(ana.set('items/1', 'n', 2));
    await expect(ana.post(delayed)).rejects.toMatchObject({ code: VerdantErrorCode.Busy });
    expect(await world.snapshot('items', '1')).toEqual({ id: '1', n: 2 });
  });

  test('[SYNC-12] [SYNC-18] also when everything is its own, if it brings nothing: it has lost what it had', async () => {
    const world = new World();
    const ana = await world.founder();
    ana.disconnect().connect();
    const answer = await ana.sync();
    expect(answer.overwriteLocalData).toBe(true);
    expect(listed(answer)).toEqual(['items/1 initialize']);
  });
});

describe('a reply is applied when that is proven', () => {
  test('[PROOF-1] [PROOF-7] [PROOF-12] [SYNC-17] by a later since: until then a reset is repeated', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob').connect();
    const before = bob.stamp();
    const reset = await bob.sync();
    bob.disconnect().connect();
    const again = await bob.sync({ since: before });
    expect(again.overwriteLocalData).toBe(true);
    expect(listed(again)).toEqual(['items/1 initialize']);
    bob.disconnect().connect();
    // Applying the first of two resets is as good as applying the second.
    const answer = await bob.sync({ since: reset.ackedTimestamp });
    expect(answer).toMatchObject({ overwriteLocalData: false, operations: [], baselines: [] });
  });

  test('[PROOF-12] of two resets on one socket each needs its own: the second wipes what was written between them', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob').connect();
    bob.send(bob.syncMessage());
    bob.send(bob.syncMessage());
    await world.settle();
    const [first, second] = bob.all('sync-resp');
    const last = first!.operations.at(-1)!.timestamp;
    bob.send({ type: 'ack', timestamp: last });
    await bob.push(bob.set('items/1', 'between', 1));
    const acked = async () =>
      (await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder;
    expect(await acked()).toBe(1);
    expect(bob.broadcast).toEqual([]);
    bob.send({ type: 'ack', timestamp: last });
    await world.settle();
    expect(await acked()).toBe(1);
    expect(bob.broadcast).toEqual(['items/1 set']);
    await bob.ackAll();
    expect(await acked()).toBe(2);
    expect(second?.overwriteLocalData).toBe(true);
  });

  test('[PROOF-9] [PROOF-12] what a sync brings that proves the first of two resets, the second may wipe: it is sent back', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob').connect();
    const before = bob.stamp();
    const first = await bob.sync();
    bob.cut().connect();
    const second = await bob.sync({ since: before, resyncAll: false });
    expect(second.overwriteLocalData).toBe(true);
    // It has applied the first, and writes; the second, of the socket that is gone, it still applies.
    const between = bob.set('items/1', 'between', 1);
    bob.cut().connect();
    const third = await bob.sync({ since: first.ackedTimestamp, operations: [between] });
    expect(third.overwriteLocalData).toBe(false);
    expect((await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder).toBe(1);
    bob.cut().connect();
    const answer = await bob.sync({ since: second.ackedTimestamp });
    expect(answer.overwriteLocalData).toBe(false);
    expect(listed(answer)).toEqual(['items/1 set']);
  });

  test('[PROOF-12] or when it acknowledges what a later socket brought: by then the second is applied, or was lost', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob').connect();
    const before = bob.stamp();
    const first = await bob.sync();
    bob.cut().connect();
    await bob.sync({ since: before, resyncAll: false });
    bob.cut().connect();
    await bob.sync({ since: first.ackedTimestamp, operations: [bob.set('items/1', 'between', 1)] });
    await ana.push(ana.set('items/1', 'n', 1));
    expect(bob.broadcast).toEqual(['items/1 set']);
    await bob.ackAll();
    expect(bob.all('op-re').map(({ replicaId }) => replicaId)).toEqual([ana.id, bob.id]);
    await bob.ackAll();
    expect((await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder).toBe(3);
  });

  test('[PROOF-12] nor is an answer that came between them held, once it is acknowledged', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob').connect();
    const before = bob.stamp();
    const first = await bob.sync();
    bob.cut();
    const [second] = await bob.post(bob.syncMessage({ since: before, resyncAll: false }));
    if (second?.type !== 'sync-resp') throw new Error('no answer');
    await ana.push(ana.set('items/1', 'n', 1));
    bob.connect();
    expect(listed(await bob.sync({ since: first.ackedTimestamp }))).toEqual(['items/1 set']);
    await bob.ackAll();
    // Only now the second arrives, and wipes what came after it.
    bob.cut().connect();
    const answer = await bob.sync({ since: second.ackedTimestamp });
    expect(listed(answer)).toEqual(['items/1 set']);
  });

  test('[PROOF-11] what a replica wrote before it applied a reset, and sends when it has said so, is stored and sent back', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    // Queued by a socket that was not let in, while the reset was under way over HTTP.
    const queued = bob.set('items/1', 'queued', 1);
    const written = bob.set('items/1', 'written', 1);
    bob.connect();
    const since = reset?.type === 'sync-resp' ? reset.ackedTimestamp : null;
    await bob.sync({ since, operations: [written] });
    const acked = async () =>
      (await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder;
    expect(await acked()).toBe(2);
    await bob.push(queued);
    expect(await acked()).toBe(2);
    expect(bob.broadcast).toEqual(['items/1 set']);
    await bob.ackAll();
    expect(await acked()).toBe(3);
  });

  test('[PROOF-11] what a replica wrote before a reset, and had still waiting to be sent, is stored and sent back', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob');
    const waiting = bob.set('items/1', 'waiting', 1);
    const [reset] = await bob.post(bob.syncMessage());
    bob.connect();
    await bob.sync({ since: reset?.type === 'sync-resp' ? reset.ackedTimestamp : null });
    await bob.push(waiting);
    const acked = async () =>
      (await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder;
    expect(await acked()).toBe(1);
    expect(bob.broadcast).toEqual(['items/1 set']);
    await bob.ackAll();
    expect(await acked()).toBe(2);
  });

  test('[PROOF-10] or by the next sync, where that is more than a socket remembers', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    await ana.sync({ baselines: [ana.baseline('items/1', { id: '1' })] });
    const bob = world.device('bob').connect();
    const reset = await bob.sync();
    const written = Array.from({ length: 1_500 }, (_, n) => bob.set('items/1', 'n', n));
    await bob.push(...written);
    await ana.push(ana.set('items/1', 'of', 'ana'));
    await bob.ackAll();
    expect(bob.broadcast).toEqual(['items/1 set']);
    bob.disconnect().connect();
    const answer = await bob.sync({ since: reset.ackedTimestamp });
    expect(answer.overwriteLocalData).toBe(false);
    expect(answer.operations).toHaveLength(1_501);
  });

  test('[PROOF-11] nor is what a request brings that arrives after the reset counted as held', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const since = bob.stamp();
    const delayed = bob.syncMessage({ since, operations: [bob.set('items/1', 'delayed', 1)] });
    bob.disconnect();
    await world.settle(10);
    bob.connect();
    const reset = await bob.sync({ since: bob.stamp(), resyncAll: true });
    await bob.ackAll();
    await world.settle(2_000);
    world.crash();
    await bob.post(delayed);
    expect((await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder).toBe(1);
    bob.connect();
    const answer = await bob.sync({ since: reset.ackedTimestamp });
    expect(listed(answer)).toEqual(['items/1 set']);
    expect(ana.isOpen).toBe(true);
  });

  test('[PROOF-9] [PROOF-10] what a replica writes while it applies a reset is sent back, until it says that it holds it', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob').connect();
    const reset = await bob.sync();
    await bob.push(bob.set('items/1', 'mine', 1));
    await ana.push(ana.set('items/1', 'n', 1));
    bob.send({ type: 'ack', timestamp: bob.all('op-re')[0]!.operations[0]!.timestamp });
    await world.settle();
    const acked = async () =>
      (await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder;
    expect(await acked()).toBe(1);
    expect(bob.all('op-re').map(({ replicaId }) => replicaId)).toEqual([ana.id, bob.id]);
    bob.disconnect().connect();
    const answer = await bob.sync({ since: reset.ackedTimestamp });
    expect(answer.overwriteLocalData).toBe(false);
    expect(listed(answer)).toEqual(['items/1 set', 'items/1 set']);
  });

  test('[PROOF-7] a reset that was lost is repeated after a crash, too', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob').connect();
    const before = bob.stamp();
    await bob.sync();
    world.crash();
    bob.connect();
    expect((await bob.sync({ since: before })).overwriteLocalData).toBe(true);
  });

  test('[PROOF-2] by an ack of an operation listed in it, on the socket that got it', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob').connect();
    const before = bob.stamp();
    await bob.sync();
    expect((await world.info())?.replicas[1]?.ackedServerOrder).toBe(0);
    await bob.ackAll();
    expect((await world.info())?.replicas[1]?.ackedServerOrder).toBe(1);
    bob.disconnect().connect();
    expect((await bob.sync({ since: before })).overwriteLocalData).toBe(false);
  });

  test('[PROOF-3] not by an ack of an earlier one, which may stem from an earlier socket', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const since = bob.stamp();
    await ana.push(ana.set('items/1', 'a', 1));
    bob.disconnect();
    await ana.push(ana.set('items/1', 'b', 2));
    bob.connect();
    const answer = await bob.sync({ since });
    expect(answer.operations).toHaveLength(2);
    bob.send({ type: 'ack', timestamp: answer.operations[0]!.timestamp });
    await world.settle();
    const acked = async () =>
      (await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder;
    expect(await acked()).toBe(2);
    bob.send({ type: 'ack', timestamp: answer.operations[1]!.timestamp });
    await world.settle();
    expect(await acked()).toBe(3);
  });

  test('[PROOF-2] by an ack of an operation sent after it', async () => {
    const world = new World();
    const ana = await world.founder();
    for (let n = 0; n < 3; n++) await ana.push(ana.set('items/1', 'n', n));
    await world.settle(3_000);
    const bob = world.device('bob').connect();
    await bob.sync();
    bob.inbox = [];
    await ana.push(ana.set('items/1', 'n', 9));
    const ack = bob.all('op-re')[0]!.operations[0]!.timestamp;
    bob.send({ type: 'ack', timestamp: ack });
    await world.settle();
    expect((await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder).toBe(5);
  });

  test('[PROOF-4] not by a nonce', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob').connect();
    const answer = await bob.sync();
    expect(answer).not.toHaveProperty('ackThisNonce');
    const { timestamp } = answer.operations.at(-1)!;
    bob.send({ type: 'ack', nonce: 'anything', timestamp });
    bob.send({ type: 'sync-ack', nonce: 'anything', timestamp });
    await world.settle();
    expect((await world.info())?.replicas[1]?.ackedServerOrder).toBe(0);
  });

  test('[PROOF-5] not by the same ack over HTTP, which was sent nothing', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob').connect();
    const answer = await bob.sync();
    await bob.post({ type: 'ack', timestamp: answer.operations.at(-1)!.timestamp });
    expect((await world.info())?.replicas.find(({ id }) => id === bob.id)?.ackedServerOrder).toBe(0);
    expect(ana.isOpen).toBe(true);
  });

  test('[PROOF-8] [PROOF-9] while a reset is pending, what was written before it is dropped without an ack; later ones are stored and sent back', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob').connect();
    const forfeited = bob.set('items/1', 'n', 1);
    const reset = await bob.sync();
    bob.inbox = [];
    bob.send({ type: 'op', timestamp: forfeited.timestamp, operations: [forfeited] });
    await world.settle();
    expect(bob.inbox).toEqual([]);
    await bob.push(bob.set('items/1', 'n', 2));
    expect(bob.all('server-ack')).toHaveLength(1);
    expect((await world.info())?.replicas[1]?.ackedServerOrder).toBe(0);
    bob.disconnect().connect();
    const answer = await bob.sync({ since: reset.ackedTimestamp });
    expect(answer.overwriteLocalData).toBe(false);
    expect(answer.operations.map(({ data }) => data)).toEqual([{ op: 'set', name: 'n', value: 2 }]);
  });

  test('[PROOF-13] a since that may come from another reply proves nothing: a sync that is delivered twice', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    const since = reset?.type === 'sync-resp' ? reset.ackedTimestamp : null;
    const poll = bob.syncMessage({ since });
    await bob.post(poll);
    await ana.push(ana.set('items/1', 'n', 1));
    await bob.post(poll);
    const [answer] = await bob.post(bob.syncMessage({ since: poll.timestamp }));
    expect(answer?.type === 'sync-resp' && listed(answer)).toEqual(['items/1 set']);
  });

  test('[PROOF-13] also where the replica has written since', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    const poll = bob.syncMessage({ since: reset?.type === 'sync-resp' ? reset.ackedTimestamp : null });
    await bob.post(poll);
    await bob.post({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'mine', 1)] });
    await ana.push(ana.set('items/1', 'n', 1));
    await bob.post(poll);
    const [answer] = await bob.post(bob.syncMessage({ since: poll.timestamp }));
    expect(
      answer?.type === 'sync-resp' && answer.operations.map(({ data }) => 'name' in data && data.name),
    ).toEqual(['n']);
  });

  test('[PROOF-13] nor does a sync that arrives after a later one was answered', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const since = bob.stamp();
    const delayed = bob.syncMessage({ since });
    await world.settle(10);
    bob.disconnect().connect();
    const { ackedTimestamp } = await bob.sync({ since });
    bob.disconnect();
    await ana.push(ana.set('items/1', 'n', 1));
    await bob.post(delayed);
    bob.connect();
    const answer = await bob.sync({ since: ackedTimestamp });
    expect(answer.overwriteLocalData).toBe(false);
    expect(listed(answer)).toEqual(['items/1 set']);
  });

  test('[PROOF-14] of polls that overlap, each is proven by its own timestamp: nothing is told twice', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    const since = reset?.type === 'sync-resp' ? reset.ackedTimestamp : null;
    await ana.push(ana.set('items/1', 'n', 1));
    const [first, second] = [bob.syncMessage({ since }), bob.syncMessage({ since })];
    await bob.post(first);
    await bob.post(second);
    await ana.push(ana.set('items/1', 'n', 2));
    const [third] = await bob.post(bob.syncMessage({ since: first.timestamp }));
    expect(third?.type === 'sync-resp' && listed(third)).toEqual(['items/1 set']);
  });

  test('[PROOF-13] of a clock that was set back, its own timestamp is proof', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob', { skew: 30_000 });
    bob.disconnect();
    const back = world.device('bob', { id: bob.id });
    const poll = async (since: Timestamp) => {
      const [answer] = await back.post(back.syncMessage({ since }));
      if (answer?.type !== 'sync-resp') throw new Error('no answer');
      return answer;
    };
    await ana.push(ana.set('items/1', 'n', 1));
    const first = await poll(bob.stamp());
    expect(listed(first)).toEqual(['items/1 set']);
    const second = await poll(bob.stamp());
    expect(listed(second)).toEqual(['items/1 set']);
    expect(listed(await poll(second.ackedTimestamp))).toEqual([]);
  });

  test('[PROOF-13] a reset of a sync that arrives late is repeated, once', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob');
    const delayed = bob.syncMessage();
    await world.settle(10);
    bob.connect();
    const { ackedTimestamp } = await bob.sync();
    await bob.post(delayed);
    bob.disconnect().connect();
    const again = await bob.sync({ since: ackedTimestamp });
    expect(again.overwriteLocalData).toBe(true);
    bob.disconnect().connect();
    expect((await bob.sync({ since: again.ackedTimestamp })).overwriteLocalData).toBe(false);
  });

  test('[PROOF-6] a reply that is no reset is answered again from where the replica stood', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const since = bob.stamp();
    bob.disconnect();
    await ana.push(ana.set('items/1', 'n', 1));
    bob.connect();
    expect(listed(await bob.sync({ since }))).toEqual(['items/1 set']);
    bob.disconnect().connect();
    const lost = await bob.sync({ since });
    expect(listed(lost)).toEqual(['items/1 set']);
    bob.disconnect().connect();
    expect(listed(await bob.sync({ since: lost.ackedTimestamp }))).toEqual([]);
  });
});

describe('a replica in good standing', () => {
  test('[SYNC-21] gets what it has not acknowledged, in server order, but not what it just sent', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const since = bob.stamp();
    bob.disconnect();
    await ana.push(ana.set('items/1', 'a', 1), ana.set('items/1', 'b', 2));
    bob.connect();
    const mine = bob.set('items/1', 'c', 3);
    const answer = await bob.sync({ since, operations: [mine] });
    expect(answer).toMatchObject({ overwriteLocalData: false, baselines: [] });
    expect(answer.operations.map(({ data }) => 'name' in data && data.name)).toEqual(['a', 'b']);
    expect(ana.broadcast).toEqual(['items/1 set']);
  });

  test('[SYNC-22] stores a repeated operation once, also after it was folded', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    await ana.sync({ operations: [ana.create('items/1', [])] });
    const since = ana.stamp();
    const push = ana.operation('items/1', { op: 'list-push', value: 'x' });
    await ana.sync({ since, operations: [push] });
    await ana.push(ana.operation('items/1', { op: 'touch' }));
    await world.settle(3_000);
    expect((await world.info())?.baselinesCount).toBe(1);
    ana.disconnect().connect();
    await ana.sync({ since, operations: [push] });
    await world.settle(3_000);
    expect(await world.snapshot('items', '1')).toEqual(['x']);
  });

  test('[SYNC-22] stores once what a request brings that was overtaken, also after its since has passed it', async () => {
    const world = new World();
    const ana = world.device('ana').connect();
    await ana.sync({ operations: [ana.create('items/1', [])] });
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    const since = reset?.type === 'sync-resp' ? reset.ackedTimestamp : null;
    const push = bob.operation('items/1', { op: 'list-push', value: 'x' });
    const overtaken = { type: 'op', timestamp: push.timestamp, operations: [push] };
    const poll = bob.syncMessage({ since, operations: [push] });
    await bob.post(poll);
    await ana.ackAll();
    // Bob's since passes it, then all is folded.
    let last = poll.timestamp;
    for (const wait of [3_000, 3_000, 115 * 60_000, 3_000, 3_000]) {
      await ana.push(ana.operation('items/2', { op: 'touch' }));
      const next = bob.syncMessage({ since: last });
      await bob.post(next);
      last = next.timestamp;
      await world.settle(wait);
    }
    expect((await world.info())?.operationsCount).toBeLessThan(3);
    const { latestServerOrder } = (await world.info())!;
    await bob.post(overtaken);
    expect((await world.info())?.latestServerOrder).toBe(latestServerOrder);
    expect(await world.snapshot('items', '1')).toEqual(['x']);
  });

  test('[SYNC-28] is told everybody present, itself included, and the global ack', async () => {
    const world = new World();
    const ana = await world.founder();
    ana.send({ type: 'presence-update', presence: { at: 1 } });
    await ana.push(ana.set('items/1', 'n', 1));
    await world.settle(1_000);
    const bob = world.device('bob').connect();
    bob.send({ type: 'presence-update', presence: { at: 2 } });
    const answer = await bob.sync();
    expect(answer.peerPresence).toMatchObject({
      ana: { id: 'ana', replicaId: ana.id, presence: { at: 1 }, internal: {}, profile: { id: 'ana' } },
      bob: { id: 'bob', presence: { at: 2 } },
    });
    expect(answer.globalAckTimestamp).toBe((await world.info())?.globalAck);
  });

  test('[SYNC-30] over HTTP and a socket at once sees one order', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    const since = bob.stamp();
    await bob.post({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'n', 1)] });
    expect(ana.broadcast).toEqual(['items/1 set']);
    expect(bob.broadcast).toEqual(['items/1 set']);
    await ana.push(ana.set('items/1', 'n', 2), ana.set('items/1', 'n', 3));
    const [answer] = await bob.post(bob.syncMessage({ since }));
    const [, polled] = bob.all('op-re');
    expect(polled?.operations).toHaveLength(2);
    expect(answer).toMatchObject({ overwriteLocalData: false, operations: polled?.operations });
  });
});

describe('timestamps', () => {
  test('[CLOCK-3] of a fast clock are clamped before they are echoed', async () => {
    const world = new World();
    await world.founder();
    const fast = world.device('bob', { skew: 3_600_000 }).connect();
    const answer = await fast.sync();
    expect(timestampMs(answer.ackedTimestamp)).toBe(world.time.now() + 60_000);
  });

  test('[CLOCK-3] [SYNC-26] are echoed as they are within the drift', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob', { skew: 30_000 }).connect();
    const timestamp = bob.stamp();
    expect((await bob.sync({ timestamp })).ackedTimestamp).toBe(timestamp);
    expect(later(timestamp) > timestamp).toBe(true);
  });

  test('[CLOCK-4] of an op and of an ack are clamped before they are echoed or recorded', async () => {
    const world = new World();
    await world.founder();
    const bob = await world.member('bob');
    const latest = world.time.now() + 60_000;
    const ahead = bob.stamp(3_600_000);
    bob.send({ type: 'op', timestamp: ahead, operations: [bob.set('items/1', 'n', 1)] });
    await world.settle();
    expect(bob.all('server-ack').map(({ timestamp }) => timestampMs(timestamp))).toEqual([latest]);
    bob.send({ type: 'ack', timestamp: ahead });
    await world.settle();
    const replica = (await world.info())?.replicas.find(({ id }) => id === bob.id);
    expect(timestampMs(replica!.ackedLogicalTime!)).toBe(latest);
  });

  test('[CLOCK-1] [CLOCK-2] of operations too far ahead: the message is refused whole, over both transports', async () => {
    const world = new World();
    const ana = await world.founder();
    const fast = await world.member('bob', { skew: 61_000 });
    const content = { since: world.device('x').stamp(), operations: [fast.set('items/1', 'n', 1)] };
    await expect(fast.post(fast.syncMessage(content))).rejects.toMatchObject({
      code: VerdantErrorCode.ClockAhead,
      status: 503,
    });
    const baselines = [fast.baseline('items/1', { n: 1 })];
    await expect(fast.post(fast.syncMessage({ baselines }))).rejects.toMatchObject({
      code: VerdantErrorCode.ClockAhead,
    });
    const refused: number[] = [];
    world.core.events.subscribe('messageRefused', ({ code }) => refused.push(code));
    await fast.push(fast.set('items/1', 'n', 1), { ...fast.set('items/1', 'n', 2), timestamp: ana.stamp() });
    expect(fast.closed?.code).toBe(1013);
    expect(refused).toEqual([VerdantErrorCode.ClockAhead]);
    expect(fast.all('server-ack')).toEqual([]);
    expect(ana.broadcast).toEqual([]);
  });
});

test('[MSG-6] a replica id that belongs to another user is forbidden, whatever the message', async () => {
  const world = new World();
  const ana = await world.founder();
  const thief = world.device('mallory', { id: ana.id }).connect();
  thief.send({ type: 'presence-update', presence: { evil: true } });
  thief.send(thief.syncMessage({ since: thief.stamp() }));
  thief.send({ type: 'op', timestamp: thief.stamp(), operations: [thief.set('items/1', 'n', 666)] });
  thief.send({ type: 'ack', timestamp: thief.stamp() });
  thief.send({ type: 'disconnecting' });
  await world.settle();
  expect(thief.inbox).toEqual(Array.from({ length: 5 }, () => ({ type: 'forbidden' })));
  expect(ana.inbox).toEqual([]);
  expect(ana.isOpen).toBe(true);
});
