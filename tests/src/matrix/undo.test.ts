import { expect } from 'vitest';
import { scenariosOf } from './scenario.js';
import type { World } from './world.js';

const scenario = scenariosOf(import.meta.url);

async function pair({ open, converged }: World) {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { content: 'milk', tags: ['cold'] });
  await converged([ana, bob], (items) => items.length === 1);
  return { ana, bob };
}

scenario('what a user takes back, and does again, is so for everyone', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await ana.update('1', { content: 'oat milk' });
  await ana.addTag('1', 'vegan');
  await world.converged([ana, bob], ([item]) => item?.content === 'oat milk' && item.tags.length === 2);

  await ana.undo();
  await world.converged([ana, bob], ([item]) => item?.tags.join() === 'cold');
  await ana.undo();
  await world.converged([ana, bob], ([item]) => item?.content === 'milk');

  await ana.redo();
  await ana.redo();
  const [item] = await world.converged([ana, bob], (items) => items[0]?.tags.length === 2);
  expect(item).toMatchObject({ content: 'oat milk', tags: ['cold', 'vegan'] });
});

scenario('several changes at once are one step', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await ana.edit(
    '1',
    { call: 'update', args: [{ content: 'bread', purchased: true }] },
    { path: ['tags'], call: 'push', args: ['brown'] },
    { path: ['labels'], call: 'set', args: ['shop', 'bakery'] },
  );
  await world.converged([ana, bob], ([item]) => item?.labels.shop === 'bakery');
  await ana.undo();
  const [item] = await world.converged([ana, bob], ([first]) => first?.content === 'milk');
  expect(item).toMatchObject({ tags: ['cold'], labels: {}, purchased: false });
});

scenario('a user takes back only what is their own', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await ana.update('1', { content: 'oat milk' });
  await bob.waitUntil(([item]) => item?.content === 'oat milk');
  await bob.update('1', { purchased: true });
  await bob.setLabel('1', 'shop', 'corner');
  await world.converged([ana, bob], ([item]) => item?.purchased && item.labels.shop);
  await ana.undo();
  const [item] = await world.converged([ana, bob], ([first]) => first?.content === 'milk');
  expect(item).toMatchObject({ purchased: true, labels: { shop: 'corner' } });
});

scenario('a deleted document comes back with all that was in it', {}, async ({ open, converged }) => {
  const ana = await open('ana');
  await ana.put('1', { content: 'milk', tags: ['cold'] });
  await ana.setLabel('1', 'shop', 'corner');
  const [before] = await converged([ana]);
  await ana.delete('1');
  await converged([ana], (items) => items.length === 0);
  await ana.undo();
  const bob = await open('bob');
  const [item] = await converged([ana, bob], (items) => items.length === 1);
  expect(item).toEqual(before);
});

scenario(
  'a deleted document comes back where others saw it go',
  {
    except: (['5', 'mixed'] as const).map((generation) => ({
      where: { generation },
      because: '5.5.0 does not show a document again that others have deleted and brought back',
    })),
  },
  async (world) => {
    const { ana, bob } = await pair(world);
    await ana.delete('1');
    await world.converged([ana, bob], (items) => items.length === 0);
    await ana.undo();
    await world.converged([ana, bob], ([item]) => item?.tags.join() === 'cold');
  },
);

scenario('what is taken back while offline is sent later', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await ana.update('1', { content: 'oat milk' });
  await world.converged([ana, bob], ([item]) => item?.content === 'oat milk');
  await ana.goOffline();
  await ana.undo();
  await bob.addTag('1', 'of bob');
  await ana.goOnline();
  const [item] = await world.converged(
    [ana, bob],
    ([first]) => first?.content === 'milk' && first.tags.length === 2,
  );
  expect(item?.tags).toEqual(['cold', 'of bob']);
});
