import { describe, expect, test } from 'vitest';
import { inWorld, matrix, type World } from './world.js';

/** Two clients that hold items 1 and 2. */
async function pair({ open, converged }: World) {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { content: 'milk', tags: ['cold'] });
  await ana.put('2', { content: 'bread' });
  await converged([ana, bob], (items) => items.length === 2);
  return { ana, bob };
}

describe.each(matrix)('offline, $label', (kind) => {
  test('what both sides changed while the network was gone is merged', () =>
    inWorld(kind, async (world) => {
      const { ana, bob } = await pair(world);
      bob.goOffline();
      await bob.addTag('1', 'of bob');
      await bob.setLabel('1', 'shop', 'corner');
      await bob.put('3', { content: 'eggs' });
      await ana.addTag('1', 'of ana');
      await ana.update('1', { purchased: true });
      await ana.delete('2');
      await ana.put('4', { content: 'salt' });
      bob.goOnline();

      const items = await world.converged(
        [ana, bob],
        (held) =>
          held.map(({ id }) => id).join() === '1,3,4' && held[0]!.tags.length === 3 && held[0]!.purchased,
      );
      expect(items[0]).toMatchObject({ content: 'milk', purchased: true, labels: { shop: 'corner' } });
      expect([...items[0]!.tags].sort()).toEqual(['cold', 'of ana', 'of bob']);
    }));

  test('the later change of one field wins, whoever comes back first', () =>
    inWorld(kind, async (world) => {
      const { ana, bob } = await pair(world);
      bob.goOffline();
      ana.goOffline();
      await bob.update('1', { content: 'earlier' });
      await ana.update('1', { content: 'later' });
      ana.goOnline();
      bob.goOnline();
      await bob.put('3');
      await ana.put('4');
      const [first] = await world.converged([ana, bob], (items) => items.length === 4);
      expect(first?.content).toBe('later');
    }));

  test('changes of a tab that was closed in between are sent by the next', () =>
    inWorld(kind, async (world) => {
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
    }));

  test('a tab that dies right after a change has it sent by the next, once', () =>
    inWorld(kind, async (world) => {
      const { ana, bob } = await pair(world);
      for (const n of [1, 2, 3]) await bob.addTag('1', `of bob ${n}`);
      bob.kill();
      const bobAgain = await world.reopen(bob);
      const [first] = await world.converged([ana, bobAgain], (items) => items[0]!.tags.length === 4);
      expect(new Set(first?.tags).size).toBe(4);
    }));

  test('the network comes and goes while both write', () =>
    inWorld(kind, async (world) => {
      const { ana, bob } = await pair(world);
      for (let n = 0; n < 6; n++) {
        const [steady, unsteady] = n % 2 ? [ana, bob] : [bob, ana];
        unsteady.goOffline();
        await unsteady.addTag('1', `apart ${n}`);
        await steady.addTag('1', `meanwhile ${n}`);
        unsteady.goOnline();
        await unsteady.addTag('1', `back ${n}`);
      }
      const [first] = await world.converged([ana, bob], (items) => items[0]!.tags.length === 1 + 6 * 3);
      expect(new Set(first?.tags).size).toBe(1 + 6 * 3);
    }));
});
