import { type Timestamp, VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { listed, World } from './testing/world.js';

describe('the same sync, delivered once more', () => {
  test('[SYNC-23] stores nothing', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    const since = reset?.type === 'sync-resp' ? reset.ackedTimestamp : null;
    const poll = bob.syncMessage({ since, operations: [bob.set('items/1', 'n', 1)] });
    for (let times = 0; times < 2; times++) {
      expect(await bob.post(poll)).toMatchObject([{ type: 'sync-resp', overwriteLocalData: false }]);
    }
    expect((await world.info())?.operationsCount).toBe(2);
    expect(ana.broadcast).toEqual(['items/1 set']);
  });

  test('[SYNC-23] is answered with 503 where what it brings was forfeited', async () => {
    const world = new World({ replicaTruancyMinutes: 60 });
    const ana = await world.founder();
    const bob = await world.member('bob');
    const since = bob.stamp();
    bob.disconnect();
    await ana.push(ana.set('items/1', 'n', 1));
    await world.settle(61 * 60_000);
    const poll = bob.syncMessage({ since, operations: [bob.set('items/1', 'forfeited', true)] });
    const [reset] = await bob.post(poll);
    expect(reset).toMatchObject({ overwriteLocalData: true });
    await bob.post(bob.syncMessage({ since: reset?.type === 'sync-resp' ? reset.ackedTimestamp : null }));
    // An answer would say that it is stored.
    await expect(bob.post(poll)).rejects.toMatchObject({ code: VerdantErrorCode.Busy, status: 503 });
    expect(await world.snapshot('items', '1')).not.toHaveProperty('forfeited');
  });
});

test('[PROOF-13] a poll that was answered before a crash, and comes once more after it, proves no more than it was told', async () => {
  const world = new World();
  const ana = await world.founder();
  const bob = await world.member('bob');
  const since = bob.stamp();
  bob.disconnect();
  await ana.push(ana.set('items/1', 'n', 1));
  const poll = bob.syncMessage({ since });
  const [told] = await bob.post(poll);
  expect(told?.type === 'sync-resp' && listed(told)).toEqual(['items/1 set']);
  world.crash();
  ana.connect();
  await ana.sync({ since: ana.stamp() });
  await ana.push(ana.set('items/1', 'n', 2));
  // Its answer comes to nobody: the client has the first one.
  await bob.post(poll);
  const [answer] = await bob.post(bob.syncMessage({ since: poll.timestamp }));
  expect(
    answer?.type === 'sync-resp' && answer.operations.map(({ data }) => 'value' in data && data.value),
  ).toContain(2);
});

test('[EVICT-6] a poll that was asked for everything, and comes once more after an eviction, proves nothing', async () => {
  const world = new World();
  const bob = world.device('bob');
  const poll = bob.syncMessage({ since: bob.stamp() });
  expect(await bob.post(poll)).toMatchObject([{ type: 'need-since' }]);
  const founding = bob.syncMessage({ operations: [bob.create('items/1', { by: 'bob' })] });
  await bob.post(founding);
  await world.evict();
  await world.founder('ana');
  await bob.post(poll);
  const [answer] = await bob.post(bob.syncMessage({ since: founding.timestamp }));
  expect(answer).toMatchObject({ overwriteLocalData: true });
});

test('[PROOF-13] a poll that was under way for so long that the library was evicted meanwhile is proven by itself alone', async () => {
  const world = new World();
  await world.founder('ana');
  const bob = await world.member('bob');
  const since = bob.stamp();
  bob.disconnect();
  const delayed = bob.syncMessage({ since });
  const next = bob.syncMessage({ since });
  await bob.post(next);
  await world.evict();
  await world.founder('ana');
  // Its answer comes to nobody: the page that asked is gone.
  await bob.post(delayed);
  const reset = bob.syncMessage({ since: next.timestamp });
  expect(await bob.post(reset)).toMatchObject([{ overwriteLocalData: true }]);
  // Once it is applied, that is the end of it.
  expect(await bob.post(bob.syncMessage({ since: reset.timestamp }))).toMatchObject([
    { overwriteLocalData: false, operations: [] },
  ]);
});

test('[PROOF-13] a founding sync that was under way for as long, too', async () => {
  const world = new World();
  await world.founder('ana');
  const bob = world.device('bob');
  const delayed = bob.syncMessage();
  const next = bob.syncMessage();
  await bob.post(next);
  await world.evict();
  await world.founder('ana');
  await bob.post(delayed);
  expect(await bob.post(bob.syncMessage({ since: next.timestamp }))).toMatchObject([
    { overwriteLocalData: true },
  ]);
});

test('[PROOF-13] a sync after a clock was set back is proven by itself alone', async () => {
  const world = new World();
  await world.founder('ana');
  const bob = await world.member('bob');
  const since = bob.stamp();
  await world.evict();
  await world.founder('ana');
  bob.connect();
  expect(await bob.sync({ since, timestamp: bob.stamp(-60_000) })).toMatchObject({
    overwriteLocalData: true,
  });
  // The answer was lost with its socket.
  bob.cut().connect();
  const timestamp = bob.stamp(-50_000);
  expect(await bob.sync({ since, timestamp })).toMatchObject({ overwriteLocalData: true });
  bob.cut().connect();
  expect(await bob.sync({ since: timestamp, timestamp: bob.stamp(-40_000) })).toMatchObject({
    overwriteLocalData: false,
    operations: [],
  });
});

describe('polls that outrun their answers', () => {
  test('[SYNC-20] are not told the same for ever', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    let since = reset?.type === 'sync-resp' ? reset.ackedTimestamp : null;
    await bob.post(bob.syncMessage({ since }));
    await ana.push(ana.set('items/1', 'n', 1), ana.set('items/1', 'n', 2));
    // Each answer is applied only after twelve more have come.
    const answers: Timestamp[] = [];
    let last: string[] = [];
    for (let polls = 0; polls < 40; polls++) {
      await world.settle(1_000);
      const [answer] = await bob.post(bob.syncMessage({ since }));
      if (answer?.type !== 'sync-resp') throw new Error('no answer');
      last = listed(answer);
      answers.push(answer.ackedTimestamp);
      since = answers[answers.length - 13] ?? since;
    }
    expect(last).toEqual([]);
  });
});
