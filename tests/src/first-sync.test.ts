import { describe, expect, test } from 'vitest';
import { inWorld, matrix } from './world.js';

describe.each(matrix)('first sync, $label', (kind) => {
  test('a device that was used without a server founds the library', () =>
    inWorld(kind, async ({ app, library, open, converged }) => {
      const ana = await open('ana', { online: false });
      await ana.put('1', { content: 'milk', tags: ['cold', 'white'], labels: { shop: 'corner' } });
      await ana.put('2', { content: 'bread', meta: { color: 'brown', size: 3 } });
      await ana.update('1', { purchased: true });
      const before = await ana.list();

      await ana.start();

      expect(await converged([ana])).toEqual(before);
      const info = await app.core.get(library).getInfo();
      expect(info?.replicas.map(({ userId }) => userId)).toEqual(['ana']);
    }));

  test('a second device of the same user gets it', () =>
    inWorld(kind, async ({ open, converged }) => {
      const phone = await open('ana');
      await phone.put('1', { content: 'milk', tags: ['cold'] });
      const laptop = await open('ana');
      await converged([phone, laptop], (items) => items[0]?.content === 'milk');
    }));

  test('the device of another user takes it, and gives up what it had before', () =>
    inWorld(kind, async ({ open, converged }) => {
      const ana = await open('ana');
      await ana.put('1', { content: 'milk' });
      await ana.addTag('1', 'cold');
      const bob = await open('bob', { online: false });
      await bob.put('1', { content: 'of bob' });
      await bob.put('9', { content: 'of bob too' });
      await bob.start();
      const items = await converged([ana, bob], ([first]) => first?.tags.length === 1);
      expect(items.map(({ content }) => content)).toEqual(['milk']);
    }));

  test('devices that came while it was empty get what the founder brings', () =>
    inWorld(kind, async ({ open, converged }) => {
      const early = await open('ana');
      const founder = await open('bob', { online: false });
      await founder.put('1', { content: 'milk', tags: ['cold'] });
      await founder.addTag('1', 'white');
      await founder.start();
      await converged([early, founder], ([first]) => first?.tags.length === 2);
      await early.addTag('1', 'fresh');
      await converged([early, founder], ([first]) => first?.tags.length === 3);
    }));

  test('two devices that never held anything found it by the first change', () =>
    inWorld(kind, async ({ open, converged }) => {
      const [ana, bob] = [await open('ana'), await open('bob')];
      await bob.put('1', { content: 'milk' });
      await converged([ana, bob], (items) => items.length === 1);
    }));

  test('a device gets the library from baselines and later operations alike', () =>
    inWorld(kind, async ({ app, library, open, converged }) => {
      const [ana, bob] = [await open('ana'), await open('bob')];
      await ana.put('1', { content: 'milk' });
      for (const tag of ['a', 'b', 'c'])
        await bob.waitUntil(([first]) => first).then(() => bob.addTag('1', tag));
      await ana.waitUntil(([first]) => first?.tags.length === 3);
      await ana.update('1', { purchased: true });
      await expect
        .poll(async () => (await app.core.get(library).getInfo())?.baselinesCount, { timeout: 10_000 })
        .toBeGreaterThan(0);
      const late = await open('cy');
      await converged([ana, bob, late], ([first]) => first?.purchased && first.tags.length === 3);
    }));
});

describe.each([
  { founder: '3.6.3', guest: '5.5.0' },
  { founder: '5.5.0', guest: '3.6.3' },
] as const)('first sync, founded by $founder, joined by $guest', ({ founder, guest }) => {
  test.each(['socket', 'http'] as const)('over %s', (transport) =>
    inWorld({ transport }, async ({ open, converged }) => {
      const ana = await open('ana', { generation: founder, online: false });
      await ana.put('1', { content: 'milk', tags: ['cold'], labels: { shop: 'corner' } });
      await ana.start();
      const bob = await open('bob', { generation: guest });
      await bob.waitUntil((items) => items.length === 1);
      await bob.addTag('1', 'white');
      await bob.setLabel('1', 'aisle', '7');
      await ana.update('1', { purchased: true });
      await converged(
        [ana, bob],
        ([first]) => first?.purchased && first.tags.length === 2 && first.labels.aisle === '7',
      );
    }),
  );
});
