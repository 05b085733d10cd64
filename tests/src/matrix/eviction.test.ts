import { expect } from 'vitest';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';
import type { World } from './world.js';

const scenario = scenariosOf(import.meta.url);

async function pair({ open, converged }: World) {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { content: 'milk', tags: ['cold'] });
  await ana.put('2', { content: 'bread' });
  await bob.waitUntil((items) => items.length === 2);
  await bob.addTag('1', 'white');
  const items = await converged([ana, bob], ([first]) => first?.tags.length === 2);
  return { ana, bob, items };
}

const info = ({ server }: World) => server.getInfo();

scenario('connected clients restore the library by themselves', { resets: 'due' }, async (world) => {
  const { ana, bob, items } = await pair(world);
  await world.target.evict(world.library);
  // Who restores it and who is reset to it is a matter of who comes first; both have to be back.
  await waitFor(async () => (await info(world))?.replicas.length === 2, {
    deadline: 15_000,
    describe: ana.describe,
  });
  if (world.transport === 'http') await Promise.all([ana.nextSync(), bob.nextSync()]);
  expect(await world.converged([ana, bob], (held) => held.length === 2)).toEqual(items);
  await ana.addTag('1', 'after');
  await bob.put('3');
  await world.converged([ana, bob], (held) => held.length === 3 && held[0]!.tags.length === 3);
});

scenario('who comes back later restores it', { resets: 'due' }, async (world) => {
  const { ana, bob, items } = await pair(world);
  await ana.close();
  await bob.close();
  await world.target.evict(world.library);
  expect(await info(world)).toBeNull();
  expect(await world.server.getDocumentSnapshot('items', '1')).toBeNull();

  const anaAgain = await world.reopen(ana);
  expect(await world.converged([anaAgain])).toEqual(items);
  const bobAgain = await world.reopen(bob);
  await bobAgain.addTag('1', 'after');
  await world.converged([anaAgain, bobAgain], ([first]) => first?.tags.length === 3);
});

scenario(
  '[EVICT-4] the first one back is the truth; the others are reset to it',
  { resets: 'due' },
  async (world) => {
    const { ana, bob, items } = await pair(world);
    await bob.stop();
    await bob.put('9', { content: 'never sent' });
    await ana.close();
    await world.target.evict(world.library);
    const anaAgain = await world.reopen(ana);
    await world.converged([anaAgain], (held) => held.length === 2);
    await bob.start();
    expect(await world.converged([anaAgain, bob])).toEqual(items);
  },
);

scenario('[EVICT-7] a user whose replicas are forgotten is reset', { resets: 'due' }, async (world) => {
  const { ana, bob, items } = await pair(world);
  await bob.stop();
  await bob.put('9', { content: 'never sent' });
  await world.server.evictUser('bob');
  expect((await info(world))?.replicas.map(({ userId }) => userId)).toEqual(['ana']);
  await bob.start();
  expect(await world.converged([ana, bob])).toEqual(items);
});

scenario(
  '[SYNC-32] what is on the screen stays there, through one reset after another',
  { resets: 'due' },
  async (world) => {
    const { ana, bob, items } = await pair(world);
    await waitFor(async () => ((await info(world))?.baselinesCount ?? 0) >= 8, { describe: ana.describe });
    for (const _ of ['first', 'second']) {
      await bob.stop();
      await world.server.evictUser('bob');
      await bob.start();
      expect(await world.converged([ana, bob])).toEqual(items);
    }
  },
);

scenario('[EVICT-5] files go with it', {}, async (world) => {
  const ana = await world.open('ana');
  await ana.put('1');
  await ana.attachImage('1', { name: 'photo.png', type: 'image/png', bytes: new Uint8Array([1, 2, 3]) });
  const [item] = await world.converged([ana], ([first]) => first?.image);
  const file = () => world.server.getFileInfo(item!.image!);
  const { url } = await waitFor(file, { describe: ana.describe });
  await waitFor(async () => (await fetch(url)).ok);
  await ana.close();
  await world.target.evict(world.library);
  expect(await file()).toBeNull();
  await waitFor(async () => (await fetch(url)).status === 404, {
    describe: () => `${url} is still served`,
  });
});
