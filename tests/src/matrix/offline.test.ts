import { expect } from 'vitest';
import { scenariosOf } from './scenario.js';
import type { World } from './world.js';

const scenario = scenariosOf(import.meta.url);

/** Two clients that hold items 1 and 2. */
async function pair({ open, converged }: World) {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { content: 'milk', tags: ['cold'] });
  await ana.put('2', { content: 'bread' });
  await converged([ana, bob], (items) => items.length === 2);
  return { ana, bob };
}

scenario('what both sides changed while the network was gone is merged', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await bob.goOffline();
  await bob.addTag('1', 'of bob');
  await bob.setLabel('1', 'shop', 'corner');
  await bob.put('3', { content: 'eggs' });
  await ana.addTag('1', 'of ana');
  await ana.update('1', { purchased: true });
  await ana.delete('2');
  await ana.put('4', { content: 'salt' });
  await bob.goOnline();

  const items = await world.converged(
    [ana, bob],
    (held) => held.map(({ id }) => id).join() === '1,3,4' && held[0]!.tags.length === 3 && held[0]!.purchased,
  );
  expect(items[0]).toMatchObject({ content: 'milk', purchased: true, labels: { shop: 'corner' } });
  expect([...items[0]!.tags].sort()).toEqual(['cold', 'of ana', 'of bob']);
});

scenario('the later change of one field wins, whoever comes back first', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await bob.goOffline();
  await ana.goOffline();
  await bob.update('1', { content: 'earlier' });
  await ana.update('1', { content: 'later' });
  await ana.goOnline();
  await bob.goOnline();
  await bob.put('3');
  await ana.put('4');
  const [first] = await world.converged([ana, bob], (items) => items.length === 4);
  expect(first?.content).toBe('later');
});

scenario('changes of a tab that was closed in between are sent by the next', {}, async (world) => {
  const { ana, bob } = await pair(world);
  await bob.stop();
  await bob.addTag('1', 'of bob');
  await bob.put('3', { content: 'eggs' });
  await bob.close();
  for (const n of [1, 2, 3]) await ana.addTag('1', `of ana ${n}`);

  const bobAgain = await world.reopen(bob);

  const [first] = await world.converged(
    [ana, bobAgain],
    (items) => items.length === 3 && items[0]!.tags.length === 5,
  );
  expect(first?.tags.filter((tag) => tag === 'of bob')).toHaveLength(1);
});

scenario('a tab that dies right after a change has it sent by the next, once', {}, async (world) => {
  const { ana, bob } = await pair(world);
  for (const n of [1, 2, 3]) await bob.addTag('1', `of bob ${n}`);
  await bob.kill();
  const bobAgain = await world.reopen(bob);
  const [first] = await world.converged([ana, bobAgain], (items) => items[0]!.tags.length === 4);
  expect(new Set(first?.tags).size).toBe(4);
});

scenario('the network comes and goes while both write', {}, async (world) => {
  const { ana, bob } = await pair(world);
  for (let n = 0; n < 6; n++) {
    const [steady, unsteady] = n % 2 ? [ana, bob] : [bob, ana];
    await unsteady.goOffline();
    await unsteady.addTag('1', `apart ${n}`);
    await steady.addTag('1', `meanwhile ${n}`);
    await unsteady.goOnline();
    await unsteady.addTag('1', `back ${n}`);
  }
  const [first] = await world.converged([ana, bob], (items) => items[0]!.tags.length === 1 + 6 * 3);
  expect(new Set(first?.tags).size).toBe(1 + 6 * 3);
});
