import { ReplicaType } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { memoryStorage } from './memory.js';
import { type Device, World } from './testing/world.js';

/** Two devices that are in sync, and have announced themselves. */
async function two(world = new World()) {
  const ana = await world.founder();
  const bob = await world.member('bob');
  await announce(ana, { cursor: 1 });
  await announce(bob, { cursor: 2 });
  for (const device of [ana, bob]) device.inbox = [];
  return { world, ana, bob };
}

async function announce(device: Device, presence: Record<string, number>): Promise<void> {
  device.send({ type: 'presence-update', presence, internal: {} });
  await device.world.settle();
}

const present = (world: World) => world.core.get('lib').getPresence();

test('[PRES-8] whoever has neither socket nor lease after a restore is forgotten, and the others are told', async () => {
  const { world, ana, bob } = await two();
  const { presence } = await world.hibernate(bob);
  expect(presence.announced.map(({ info }) => info.id)).toEqual(['ana', 'bob']);
  expect(bob.all('presence-offline')).toEqual([
    { type: 'presence-offline', userId: 'ana', replicaId: ana.id },
  ]);
  expect(Object.keys(await present(world))).toEqual(['bob']);
  const again = await world.hibernate(bob);
  expect(again.presence.announced.map(({ info }) => info.id)).toEqual(['bob']);
});

test('[PRES-8] nobody is present after a restore without any socket', async () => {
  const { world } = await two();
  await world.hibernate();
  expect(await present(world)).toEqual({});
});

test('[PRES-6] of a user of whom one device is gone, the other is shown', async () => {
  const { world, ana, bob } = await two();
  const tablet = await world.member('ana');
  await announce(tablet, { cursor: 3 });
  bob.inbox = [];
  await world.hibernate(ana, bob);
  expect(bob.all('presence-changed')).toMatchObject([
    { replicaId: ana.id, userInfo: { id: 'ana', presence: { cursor: 1 } } },
  ]);
  expect(await present(world)).toMatchObject({ ana: { presence: { cursor: 1 } }, bob: {} });
});

test('[PRES-7] presence and leases are as they were, and end when they would have', async () => {
  const { world, ana, bob } = await two();
  const cleo = world.device('cleo', { type: ReplicaType.Push });
  await cleo.post({ type: 'presence-update', presence: { cursor: 3 }, internal: {} }, cleo.syncMessage());
  await world.settle(100_000);
  for (const device of [ana, bob]) device.inbox = [];
  await world.hibernate(ana, bob);
  expect(Object.keys(await present(world))).toEqual(['ana', 'bob', 'cleo']);
  expect([...ana.inbox, ...bob.inbox]).toEqual([]);
  await world.settle(200_001);
  expect(ana.all('presence-offline')).toMatchObject([{ userId: 'cleo' }]);
});

test('[PRES-8] a socket that does not fit the library any more is closed with 1012, and its user is forgotten', async () => {
  const { world, ana, bob } = await two();
  const saved = await world.rest();
  await ana.push(ana.set('items/1', 'n', 1));
  // What was saved is older than what is stored.
  const fresh = await world.rest();
  const sockets = new Map([...saved.sockets].slice(0, 1).concat([...fresh.sockets].slice(1)));
  await world.wake({ ...fresh, sockets }, ana, bob);
  expect(ana.closed?.code).toBe(1012);
  expect(bob.closed).toBeNull();
  expect(bob.all('presence-offline')).toMatchObject([{ userId: 'ana' }]);
  expect(Object.keys(await present(world))).toEqual(['bob']);
});

test('[PRES-8] a socket whose token was revoked meanwhile is closed, and its user is forgotten', async () => {
  const { world, ana, bob } = await two();
  const saved = await world.rest();
  const issuedBefore = world.time.now() + 1_000;
  await world.storage.putRevocation({ userId: ana.user, libraryId: null, issuedBefore });
  await world.wake(saved, ana, bob);
  expect(ana.closed?.code).toBe(4012);
  expect(bob.closed).toBeNull();
  expect(Object.keys(await present(world))).toEqual(['bob']);
});

test('[ACK-2] what a socket still has to be sent of its own is sent after a restore', async () => {
  const { world, ana } = await two();
  const cleo = world.device('cleo').connect();
  await cleo.sync();
  // It may have wiped this with the reset, of which it has not said that it applied it.
  const own = cleo.create('items/own', { id: 'own' });
  await cleo.push(own);
  cleo.inbox = [];
  const saved = await world.hibernate(ana, cleo);
  expect([...saved.sockets.values()].at(-1)?.delivery.owed).toHaveLength(1);
  await ana.push(ana.set('items/1', 'n', 1));
  await cleo.ackAll();
  await world.settle(1_000);
  expect(cleo.all('op-re').flatMap(({ operations }) => operations)).toContainEqual(own);
});

test('[FOLD-7] a passive socket goes on to be waited for', async () => {
  const { world, ana, bob } = await two();
  const passive = world.device('cleo', { type: ReplicaType.PassiveRealtime }).connect();
  await passive.sync();
  await passive.ackAll();
  await world.hibernate(ana, bob, passive);
  await world.settle(5_000);
  const before = (await world.info())!.globalAck;
  await ana.push(ana.set('items/1', 'n', 1));
  await bob.ackAll();
  await world.settle(5_000);
  expect((await world.info())!.globalAck).toBe(before);
  passive.cut();
  await world.settle(5_000);
  expect((await world.info())!.globalAck! > before!).toBe(true);
});

test('[FOLD-4] it is known when more can be folded though nobody comes, and it is folded by whoever opens the library then', async () => {
  const { world, ana, bob } = await two();
  bob.disconnect();
  await ana.push(ana.set('items/1', 'n', 1));
  await ana.push(ana.set('items/1', 'n', 2));
  await world.settle(5_000);
  ana.disconnect();
  await world.settle(5_000);
  const { foldableAt } = await world.rest();
  expect((await world.info())?.operationsCount).toBe(2);
  world.crash();
  await world.settle(foldableAt! - world.time.now() - 1);
  await world.info();
  await world.settle(5_000);
  expect((await world.info())?.operationsCount).toBe(1);
  // Only one is left, and holds everything.
  expect((await world.rest()).foldableAt).toBeNull();
});

test('a save that cannot be written rejects, and the library goes on', async () => {
  const inner = memoryStorage();
  let fails = false;
  const world = new World({
    storage: {
      ...inner,
      async open(id) {
        const library = await inner.open(id);
        const commit = library.commit.bind(library);
        library.commit = async (change) => {
          if (fails) throw new Error('the disk is full');
          return commit(change);
        };
        return library;
      },
    },
  });
  const { ana, bob } = await two(world);
  await ana.push(ana.set('items/1', 'n', 1));
  await bob.ackAll();
  fails = true;
  await expect(world.rest()).rejects.toThrow('the disk is full');
  fails = false;
  await ana.push(ana.set('items/1', 'n', 2));
  expect(await world.snapshot('items', '1')).toMatchObject({ n: 2 });
  await world.hibernate(ana, bob);
  expect([ana.closed, bob.closed]).toEqual([null, null]);
});
