import { expect } from 'vitest';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';
import type { World } from './world.js';

const scenario = scenariosOf(import.meta.url);

/** Ana writes; Bob is away with changes that he has not sent. */
async function bobAway({ open, converged }: World) {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { content: 'milk' });
  await ana.put('2', { content: 'bread' });
  await converged([ana, bob], (items) => items.length === 2);
  await bob.stop();
  await bob.addTag('1', 'of bob');
  await bob.put('3', { content: 'of bob' });
  return { ana, bob };
}

const replicaOf = async ({ server }: World, userId: string) =>
  (await server.getInfo())?.replicas.find((replica) => replica.userId === userId);

scenario(
  'who was away too long is reset, and loses what it had not sent',
  { resets: 'due' },
  async (world) => {
    const { ana, bob } = await bobAway(world);
    await ana.addTag('1', 'of ana');
    await ana.delete('2');
    const { id } = await bob.replica();
    await world.server.forceTruant(id);
    expect((await replicaOf(world, 'bob'))?.truant).toBe(true);

    await bob.start();

    const items = await world.converged([ana, bob], (held) => held.length === 1);
    expect(items[0]?.tags).toEqual(['of ana']);
    expect(
      (await bob.traffic()).entries.filter(
        ({ direction, message }) => direction === 'received' && message.overwriteLocalData,
      ),
    ).toHaveLength(1);
    expect((await replicaOf(world, 'bob'))?.truant).toBe(false);
    await bob.addTag('1', 'of bob, again');
    await world.converged([ana, bob], ([first]) => first?.tags.length === 2);
  },
);

scenario('who was away too long and missed nothing is not reset', {}, async (world) => {
  const { ana, bob } = await bobAway(world);
  await world.server.forceTruant((await bob.replica()).id);
  await bob.start();
  const items = await world.converged([ana, bob], (held) => held.length === 3);
  expect(items[0]?.tags).toEqual(['of bob']);
});

scenario('by the clock', { server: { replicaTruancyMinutes: 1.5 / 60 }, resets: 'due' }, async (world) => {
  const { ana, bob } = await bobAway(world);
  await ana.addTag('1', 'of ana');
  await waitFor(async () => (await replicaOf(world, 'bob'))?.truant, {
    describe: () => 'bob is no truant',
  });
  // Ana stays, because her connection is what shows that she is there.
  expect((await replicaOf(world, 'ana'))?.truant).toBe(false);
  await bob.start();
  const items = await world.converged([ana, bob], (held) => held.length === 2);
  expect(items[0]?.tags).toEqual(['of ana']);
});

scenario('history is folded without the truant', { resets: 'due' }, async (world) => {
  const { ana, bob } = await bobAway(world);
  const library = world.server;
  for (let n = 0; n < 10; n++) await ana.addTag('1', `${n}`);
  await library.forceTruant((await bob.replica()).id);
  await ana.addTag('1', 'last');
  await waitFor(async () => ((await library.getInfo())?.operationsCount ?? 99) < 8, {
    describe: () => library.getInfo(),
  });
  await bob.start();
  const items = await world.converged([ana, bob], (held) => held.length === 2);
  expect(items[0]?.tags).toHaveLength(11);
});
