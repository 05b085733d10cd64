import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDevice } from '../clients/browser.js';
import type { TestClient } from '../clients/open-client.js';
import { sameItems } from '../world.js';
import { type OriginalWorld, PULL_INTERVAL_MS, startOriginalWorld } from './original-world.js';

let world: OriginalWorld;
beforeEach(async () => {
  world = await startOriginalWorld();
});
afterEach(() => world.end());

const isReset = ({ overwriteLocalData }: { overwriteLocalData?: boolean }) => overwriteLocalData === true;
const resets = ({ wire }: TestClient, since = 0) =>
  wire.received('sync-resp').slice(since).filter(isReset).length;

test('those that polled go on polling, without a reset', { timeout: 120_000 }, async () => {
  const device = createDevice();
  const [ana, bob, cy] = [
    await world.open('ana'),
    await world.open('bob'),
    await world.open('cy', { device }),
  ];
  await ana.put('1', { content: 'milk', tags: ['a'] });
  await ana.put('2', { content: 'bread' });
  await sameItems([ana, bob, cy], (items) => items.length === 2, 30_000);
  for (const [author, tag] of [
    [bob, 'b'],
    [cy, 'c'],
    [ana, 'd'],
  ] as const) {
    await author.addTag('1', tag);
    await sameItems([ana, bob, cy], ([item]) => item!.tags.includes(tag), 30_000);
    await world.acknowledged('ana', 'bob', 'cy');
  }
  // All are told of the last global ack, and fold.
  for (const client of [ana, bob, cy]) await client.nextSync();
  await cy.close();
  ana.goOffline();
  await ana.addTag('1', 'ana offline');
  await bob.addTag('2', 'missed by cy and ana');
  await world.holds('missed by cy and ana');
  await bob.nextSync();
  const before = [ana, bob].map(({ wire }) => wire.received('sync-resp').length);

  const app = await world.move();
  await world.atNight('cy', device, (client) => client.addTag('1', 'cy at night'));
  ana.goOnline();
  const again = await world.open('cy', { device });
  const dan = await world.open('dan');
  const all = [ana, bob, again, dan];
  const [first] = await sameItems(
    all,
    ([one, two]) => one!.tags.length === 6 && two!.tags.length === 1,
    60_000,
  );
  expect(first!.tags.toSorted()).toEqual(['a', 'ana offline', 'b', 'c', 'cy at night', 'd']);
  expect([resets(ana, before[0]), resets(bob, before[1]), resets(again)]).toEqual([0, 0, 0]);
  expect(app.errors).toEqual([]);
});

test('one whose acknowledgements were lost has no entry twice, and keeps its changes', {
  timeout: 120_000,
}, async () => {
  const device = createDevice();
  let losesAcks = false;
  const [ana, bob] = [await world.open('ana'), await world.open('bob')];
  const cy = await world.open('cy', {
    device,
    online: false,
    sync: () => ({
      initialPresence: {},
      defaultProfile: {},
      initialTransport: 'pull',
      automaticTransportSelection: false,
      pullInterval: PULL_INTERVAL_MS,
      fetchAuth: async () =>
        (await fetch(world.authEndpoint('cy'))).json() as Promise<{ accessToken: string }>,
      fetch: async (input, init) => {
        if (losesAcks && String(init?.body).includes('"type":"ack"')) throw new TypeError('Failed to fetch');
        return fetch(input, init);
      },
    }),
  });
  await cy.sync.start();
  await ana.put('1', { content: 'milk', tags: ['a'] });
  await sameItems([ana, bob, cy], (items) => items.length === 1, 30_000);
  await world.acknowledged('ana', 'bob', 'cy');
  losesAcks = true;
  await ana.addTag('1', 'b');
  await sameItems([ana, bob, cy], ([item]) => item!.tags.includes('b'), 30_000);
  await world.acknowledged('ana', 'bob');
  await world.settled('"b"');
  await cy.close();

  await world.move();
  await world.atNight('cy', device, (client) => client.addTag('1', 'at night'));
  const again = await world.open('cy', { device });
  const dan = await world.open('dan');
  const [item] = await sameItems([ana, bob, again, dan], ([one]) => one!.tags.length === 3, 60_000);
  expect(item!.tags).toEqual(['a', 'b', 'at night']);
  expect(resets(again)).toBe(1);

  // What it has stored is what it shows.
  await again.close();
  await world.atNight('cy', device, async (client) => {
    expect((await client.list())[0]!.tags).toEqual(['a', 'b', 'at night']);
  });
});

test('one that was told before somebody came back with older changes gets these, and keeps its own', {
  timeout: 120_000,
}, async () => {
  const device = createDevice();
  const [ana, bob, cy] = [
    await world.open('ana'),
    await world.open('bob'),
    await world.open('cy', { device }),
  ];
  await ana.put('1', { content: 'milk' });
  await ana.put('2', { content: 'bread' });
  await sameItems([ana, bob, cy], (items) => items.length === 2, 30_000);
  await world.acknowledged('ana', 'bob', 'cy');
  ana.goOffline();
  await ana.addTag('2', 'before cy went');
  await cy.nextSync();
  await cy.close();
  ana.goOnline();
  await world.holds('before cy went');
  await bob.waitUntil(([, item]) => item!.tags.length === 1, 30_000);
  await ana.nextSync();
  await bob.nextSync();

  await world.move();
  await world.atNight('cy', device, (client) => client.addTag('1', 'at night'));
  const again = await world.open('cy', { device });
  await sameItems(
    [ana, bob, again],
    ([one, two]) => one!.tags.length === 1 && two!.tags.length === 1,
    60_000,
  );
  expect((await again.list()).map(({ tags }) => tags)).toEqual([['at night'], ['before cy went']]);
});

test.each(['socket', 'http'] as const)(
  '5.5.0 over %s goes on beside 3.6.3',
  { timeout: 120_000 },
  async (transport) => {
    const [ana, bob] = [await world.open('ana', { generation: '5.5.0', transport }), await world.open('bob')];
    await ana.put('1', { content: 'milk', tags: ['a'] });
    await sameItems([ana, bob], (items) => items.length === 1, 30_000);
    await bob.addTag('1', 'b');
    await sameItems([ana, bob], ([item]) => item!.tags.length === 2, 30_000);
    await world.acknowledged('ana', 'bob');
    const before = ana.wire.received('sync-resp').length;
    await world.move();
    await ana.addTag('1', 'c');
    const [item] = await sameItems([ana, bob], ([one]) => one!.tags.length === 3, 60_000);
    expect(item!.tags).toEqual(['a', 'b', 'c']);
    expect(resets(ana, before)).toBe(0);
  },
);
