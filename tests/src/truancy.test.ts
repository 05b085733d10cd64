import { describe, expect, test } from 'vitest';
import { waitFor } from './until.js';
import { inWorld, matrix, type World } from './world.js';

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

const replicaOf = async ({ app, library }: World, userId: string) =>
  (await app.core.get(library).getInfo())?.replicas.find((replica) => replica.userId === userId);

describe.each(matrix)('truancy, $label', (kind) => {
  test('who was away too long is reset, and loses what it had not sent', () =>
    inWorld(kind, async (world) => {
      const { ana, bob } = await bobAway(world);
      await ana.addTag('1', 'of ana');
      await ana.delete('2');
      const { id } = await bob.replica();
      await world.app.core.get(world.library).forceTruant(id);
      expect((await replicaOf(world, 'bob'))?.truant).toBe(true);

      await bob.start();

      const items = await world.converged([ana, bob], (held) => held.length === 1);
      expect(items[0]?.tags).toEqual(['of ana']);
      expect(
        bob.wire.received('sync-resp').filter(({ overwriteLocalData }) => overwriteLocalData),
      ).toHaveLength(1);
      expect((await replicaOf(world, 'bob'))?.truant).toBe(false);
      await bob.addTag('1', 'of bob, again');
      await world.converged([ana, bob], ([first]) => first?.tags.length === 2);
    }));

  test('who was away too long and missed nothing is not reset', () =>
    inWorld(kind, async (world) => {
      const { ana, bob } = await bobAway(world);
      await world.app.core.get(world.library).forceTruant((await bob.replica()).id);
      await bob.start();
      const items = await world.converged([ana, bob], (held) => held.length === 3);
      expect(items[0]?.tags).toEqual(['of bob']);
    }));

  test('by the clock', () =>
    inWorld({ ...kind, replicaTruancyMinutes: 1.5 / 60 }, async (world) => {
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
    }));

  test('history is folded without the truant', () =>
    inWorld(kind, async (world) => {
      const { ana, bob } = await bobAway(world);
      const library = world.app.core.get(world.library);
      for (let n = 0; n < 10; n++) await ana.addTag('1', `${n}`);
      await library.forceTruant((await bob.replica()).id);
      await ana.addTag('1', 'last');
      await waitFor(async () => ((await library.getInfo())?.operationsCount ?? 99) < 8, {
        describe: () => library.getInfo(),
      });
      await bob.start();
      const items = await world.converged([ana, bob], (held) => held.length === 2);
      expect(items[0]?.tags).toHaveLength(11);
    }));
});
