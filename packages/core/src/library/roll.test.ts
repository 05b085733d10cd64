import type { SyncResponseMessage, Timestamp } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { listed, World } from '../testing/world.js';

/* Until a replica has synced, anybody can say that theirs has its id. */
test('[PRES-7] [MSG-6] who uses the id of somebody else, who polls, does not end their presence, nor keep it up', async () => {
  const world = new World();
  const ana = await world.founder();
  const bob = world.device('bob');
  const announced = { type: 'presence-update', presence: { here: true } };
  await bob.post(announced);
  const eve = world.device('eve', { id: bob.id }).connect();
  eve.send({ type: 'presence-update', presence: {} });
  await world.settle();
  const present = async () => Object.keys(await world.core.get('lib').getPresence());
  await world.settle(60_000);
  expect(await present()).toEqual(['bob', 'eve']);
  // Bob goes on: each poll renews what the server knows.
  for (let minute = 0; minute < 8; minute++) {
    await bob.post(announced);
    await world.settle(60_000);
  }
  expect(await present()).toContain('bob');
  ana.inbox = [];
  await world.settle(5 * 60_000);
  expect(ana.all('presence-offline').map(({ userId }) => userId)).toEqual(['bob']);
  eve.disconnect();
  await world.settle();
  expect(await present()).toEqual([]);
});

test('[ACK-1] [MSG-6] who uses the id of a replica before it has synced acknowledges nothing for it', async () => {
  const world = new World();
  const ana = await world.founder();
  const eve = await world.member('eve');
  const bob = world.device('bob');
  eve.send({ type: 'presence-update', replicaId: bob.id, presence: {} });
  const sync = async (since: Timestamp | null) => {
    const [reply] = await bob.post(bob.syncMessage({ since, resyncAll: false }));
    return reply as SyncResponseMessage;
  };
  const first = await sync(null);
  const second = await sync(first.ackedTimestamp);
  await ana.push(ana.set('items/1', 'title', 'two'));
  await eve.ackAll();
  eve.disconnect();
  await world.settle(5_000);
  expect(listed(await sync(second.ackedTimestamp))).toEqual(['items/1 set']);
});
