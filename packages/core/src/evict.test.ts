import { type Timestamp, VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { memoryStorage } from './memory.js';
import type { Storage } from './storage/storage.js';
import { World } from './testing/world.js';

describe('eviction', () => {
  test('[EVICT-1] [EVICT-2] [EVICT-4] leaves nothing, and disconnects everybody, who restore the library from what they hold', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = await world.member('bob');
    bob.disconnect();
    const evicted: unknown[] = [];
    world.core.events.subscribe('evicted', ({ libraryId }) => evicted.push(libraryId));
    await world.evict();
    expect(ana.closed?.code).toBe(1012);
    expect(evicted).toEqual(['lib']);
    expect(await world.info()).toBeNull();
    expect(await world.snapshot('items', '1')).toBeNull();

    ana.connect();
    ana.send(ana.syncMessage({ since: ana.stamp() }));
    await world.settle();
    expect(ana.all('need-since')).toHaveLength(1);
    await ana.sync({ baselines: [ana.baseline('items/1', { id: '1', from: 'ana' })] });
    bob.connect();
    const answer = await bob.sync({ since: bob.stamp(), operations: [bob.set('items/1', 'lost', true)] });
    expect(answer.overwriteLocalData).toBe(true);
    expect(answer.baselines.map(({ snapshot }) => snapshot)).toEqual([{ id: '1', from: 'ana' }]);
    expect((await world.info())?.latestServerOrder).toBe(1);
  });

  test('[EVICT-3] nothing that was under way is stored', async () => {
    const world = new World();
    const ana = await world.founder();
    const bob = world.device('bob');
    await bob.post(bob.syncMessage());
    const evicted = world.core.evict('lib');
    ana.send({ type: 'op', timestamp: ana.stamp(), operations: [ana.set('items/1', 'n', 1)] });
    ana.send(ana.syncMessage({ operations: [ana.create('items/1', {})] }));
    await world.settle();
    await evicted;
    expect(await world.info()).toBeNull();
    await expect(
      bob.post({ type: 'op', timestamp: bob.stamp(), operations: [bob.set('items/1', 'n', 1)] }),
    ).rejects.toMatchObject({ code: VerdantErrorCode.Busy });
    expect(await world.info()).toBeNull();
  });

  test('that took effect, and failed to say so, is found out', async () => {
    const inner = memoryStorage();
    const storage: Storage = {
      limits: inner.limits,
      list: (after) => inner.list(after),
      readRevocations: () => inner.readRevocations(),
      putRevocation: (row) => inner.putRevocation(row),
      close: () => inner.close(),
      async open(id) {
        const library = await inner.open(id);
        const evict = library.evict.bind(library);
        library.evict = async (head) => {
          await evict(head);
          throw new Error('the disk did not say');
        };
        return library;
      },
    };
    const world = new World({ storage });
    const ana = await world.founder();
    await expect(world.evict()).rejects.toThrow('the disk did not say');
    expect(ana.isOpen).toBe(false);
    expect(await world.info()).toBeNull();
  });

  test('[EVICT-6] does not make a sync new that was answered before it, and is delivered once more', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    const poll = bob.syncMessage({ since: reset?.type === 'sync-resp' ? reset.ackedTimestamp : null });
    await bob.post(poll);
    await world.evict();
    await world.founder('cat');
    await bob.post(poll);
    const [answer] = await bob.post(bob.syncMessage({ since: poll.timestamp }));
    expect(answer).toMatchObject({ type: 'sync-resp', overwriteLocalData: true });
  });

  test('[EVICT-6] nor where nobody was there for a while, and the library could leave memory', async () => {
    const world = new World({ libraryIdleMs: 0 });
    await world.founder();
    const bob = world.device('bob');
    const [reset] = await bob.post(bob.syncMessage());
    const poll = bob.syncMessage({ since: reset?.type === 'sync-resp' ? reset.ackedTimestamp : null });
    await bob.post(poll);
    await world.evict();
    await world.settle(5_000);
    await world.founder('cat');
    await bob.post(poll);
    const [answer] = await bob.post(bob.syncMessage({ since: poll.timestamp }));
    expect(answer).toMatchObject({ type: 'sync-resp', overwriteLocalData: true });
  });

  test('[EVICT-9] does not let an operation in that was stored before it, and is delivered once more', async () => {
    const world = new World();
    await world.founder();
    const bob = world.device('bob');
    const sinceOf = async (since: Timestamp | null): Promise<Timestamp> => {
      const [answer] = await bob.post(bob.syncMessage({ since }));
      return answer?.type === 'sync-resp' ? answer.ackedTimestamp : bob.stamp();
    };
    const joined = await sinceOf(await sinceOf(null));
    const tag = bob.operation('items/1:tags', { op: 'list-push', value: 'tag' });
    const message = { type: 'op', timestamp: bob.stamp(), operations: [tag] };
    await bob.post(message);
    await world.evict();
    // What bob wrote is in the history of somebody else, and folded.
    const cat = world.device('cat').connect();
    await cat.sync({ baselines: [cat.baseline('items/1:tags', ['tag'])] });
    await sinceOf(await sinceOf(joined));
    await bob.post(message);
    await bob.connect().sync({ since: bob.stamp() });
    bob.send(message);
    await world.settle();
    expect(bob.all('server-ack')).toEqual([]);
    expect(cat.broadcast).toEqual([]);
    // What it writes from now on is stored.
    await bob.push(bob.operation('items/1:tags', { op: 'list-push', value: 'more' }));
    expect(cat.broadcast).toEqual(['items/1:tags list-push']);
  });

  test('of a library that holds nothing is no error', async () => {
    const world = new World();
    await world.evict('never seen');
    expect(await world.info('never seen')).toBeNull();
  });

  test('[EVICT-1] is durable', async () => {
    const world = new World();
    await world.founder();
    await world.evict();
    world.crash();
    expect(await world.info()).toBeNull();
    const ana = await world.founder();
    expect((await world.info())?.replicas.map(({ id }) => id)).toEqual([ana.id]);
  });
});

test('[EVICT-7] evictUser forgets the replicas of a user, who are reset when they return, and nobody else', async () => {
  const world = new World();
  const ana = await world.founder();
  const bob = await world.member('bob');
  const done = world.core.get('lib').evictUser('bob');
  await world.settle();
  await done;
  expect(bob.isOpen).toBe(false);
  expect(ana.isOpen).toBe(true);
  expect((await world.info())?.replicas.map(({ userId }) => userId)).toEqual(['ana']);
  bob.connect();
  expect((await bob.sync({ since: bob.stamp() })).overwriteLocalData).toBe(true);
});

test('[EVICT-8] forceTruant makes a replica not count, and be reset when others have written', async () => {
  const world = new World();
  const ana = await world.founder();
  const bob = await world.member('bob');
  const done = world.core.get('lib').forceTruant(bob.id);
  await world.settle();
  await done;
  expect((await world.info())?.replicas.map(({ truant }) => truant)).toEqual([false, true]);
  await ana.push(ana.set('items/1', 'n', 1));
  bob.connect();
  expect((await bob.sync({ since: bob.stamp() })).overwriteLocalData).toBe(true);
});

test('what an operator does is done anew where another writer comes first', async () => {
  const disk = memoryStorage();
  let othersFirst = false;
  const storage: Storage = {
    ...disk,
    open: async (id) => {
      const library = await disk.open(id);
      const commit = library.commit.bind(library);
      library.commit = async (change) => {
        if (othersFirst) await commit({ expect: change.expect, head: change.head });
        othersFirst = false;
        return commit(change);
      };
      return library;
    },
  };
  const world = new World({ storage });
  await world.founder();
  const bob = await world.member('bob');
  for (const [task, left] of [
    [() => world.core.get('lib').forceTruant(bob.id), [false, true]],
    [() => world.core.get('lib').evictUser('bob'), [false]],
  ] as const) {
    othersFirst = true;
    const done = task();
    await world.settle();
    await done;
    expect(othersFirst).toBe(false);
    expect((await world.info())?.replicas.map(({ truant }) => truant)).toEqual(left);
  }
});
