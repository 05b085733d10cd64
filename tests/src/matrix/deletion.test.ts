import { expect } from 'vitest';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';
import type { World } from './world.js';

const scenario = scenariosOf(import.meta.url);

async function pair({ open, converged }: World) {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { content: 'milk', tags: ['cold'], labels: { shop: 'corner' } });
  await ana.put('2', { content: 'bread' });
  await converged([ana, bob], (items) => items.length === 2);
  return { ana, bob };
}

const serverHas = async ({ server }: World, id: string) =>
  (await server.getDocumentSnapshot('items', id)) !== null;

scenario('a document is gone for everyone, also for those who come later', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await bob.delete('1');
  await world.converged([ana, bob], (items) => items.length === 1);
  const cy = await world.open('cy');
  await world.converged([ana, bob, cy], (items) => items.length === 1);
  expect(await serverHas(world, '1')).toBe(false);
});

scenario('an edit that was made apart, after the deletion, does not bring it back', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await bob.goOffline();
  await ana.delete('1');
  await bob.update('1', { content: 'cheese' });
  await bob.addTag('1', 'old');
  await bob.goOnline();
  await bob.put('3');
  const cy = await world.open('cy');
  const items = await world.converged([ana, bob, cy], (held) => held.length === 2);
  expect(items.map(({ id }) => id)).toEqual(['2', '3']);
  expect(await serverHas(world, '1')).toBe(false);
});

scenario('a deletion that was made apart takes edits of the others with it', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await bob.goOffline();
  await ana.update('1', { content: 'cheese' });
  await bob.delete('1');
  await bob.goOnline();
  await world.converged([ana, bob], (held) => held.length === 1);
  expect(await serverHas(world, '1')).toBe(false);
});

scenario('a document of the same id can be made again', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await ana.delete('1');
  await bob.waitUntil((items) => items.length === 1);
  await bob.put('1', { content: 'new', tags: ['fresh'] });
  const items = await world.converged([ana, bob], (held) => held.length === 2);
  expect(items[0]).toMatchObject({ content: 'new', tags: ['fresh'], labels: {} });
  const cy = await world.open('cy');
  await world.converged([ana, bob, cy], (held) => held[0]?.content === 'new');
});

scenario('a deletion that everyone has seen leaves nothing behind on the server', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await ana.delete('1');
  await ana.delete('2');
  await bob.waitUntil((items) => items.length === 0);
  // Only what is older than what all have acknowledged is folded: let there be something newer.
  await bob.put('3');
  await ana.waitUntil((items) => items.length === 1);
  await ana.addTag('3', 'seen');
  await world.converged([ana, bob], (items) => items[0]?.tags.length === 1);
  await waitFor(async () => (await world.server.getInfo())!.operationsCount < 8, {
    describe: () => world.server.getInfo(),
  });
  expect(await serverHas(world, '1')).toBe(false);
});
