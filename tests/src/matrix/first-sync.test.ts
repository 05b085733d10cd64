import { expect } from 'vitest';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

scenario(
  'a device that was used without a server founds the library',
  {},
  async ({ server, open, converged }) => {
    const ana = await open('ana', { online: false });
    await ana.put('1', { content: 'milk', tags: ['cold', 'white'], labels: { shop: 'corner' } });
    await ana.put('2', { content: 'bread', meta: { color: 'brown', size: 3 } });
    await ana.update('1', { purchased: true });
    const before = await ana.list();

    await ana.start();

    expect(await converged([ana])).toEqual(before);
    const info = await server.getInfo();
    expect(info?.replicas.map(({ userId }) => userId)).toEqual(['ana']);
  },
);

scenario('a second device of the same user gets it', {}, async ({ open, converged }) => {
  const phone = await open('ana');
  await phone.put('1', { content: 'milk', tags: ['cold'] });
  const laptop = await open('ana');
  await converged([phone, laptop], (items) => items[0]?.content === 'milk');
});

scenario(
  'the device of another user takes it, and gives up what it had before',
  {},
  async ({ open, converged }) => {
    const ana = await open('ana');
    await ana.put('1', { content: 'milk' });
    await ana.addTag('1', 'cold');
    const bob = await open('bob', { online: false });
    await bob.put('1', { content: 'of bob' });
    await bob.put('9', { content: 'of bob too' });
    await bob.start();
    const items = await converged([ana, bob], ([first]) => first?.tags.length === 1);
    expect(items.map(({ content }) => content)).toEqual(['milk']);
  },
);

scenario(
  'devices that came while it was empty get what the founder brings',
  { resets: 'due' },
  async ({ open, converged }) => {
    const early = await open('ana');
    const founder = await open('bob', { online: false });
    await founder.put('1', { content: 'milk', tags: ['cold'] });
    await founder.addTag('1', 'white');
    await founder.start();
    await converged([early, founder], ([first]) => first?.tags.length === 2);
    await early.addTag('1', 'fresh');
    await converged([early, founder], ([first]) => first?.tags.length === 3);
  },
);

scenario(
  'two devices that never held anything found it by the first change',
  {},
  async ({ open, converged }) => {
    const [ana, bob] = [await open('ana'), await open('bob')];
    await bob.put('1', { content: 'milk' });
    await converged([ana, bob], (items) => items.length === 1);
  },
);

scenario(
  'a device gets the library from baselines and later operations alike',
  {},
  async ({ server, open, converged }) => {
    const [ana, bob] = [await open('ana'), await open('bob')];
    await ana.put('1', { content: 'milk' });
    for (const tag of ['a', 'b', 'c'])
      await bob.waitUntil(([first]) => first).then(() => bob.addTag('1', tag));
    await ana.waitUntil(([first]) => first?.tags.length === 3);
    await ana.update('1', { purchased: true });
    await waitFor(async () => (await server.getInfo())!.baselinesCount > 0, {
      describe: () => server.getInfo(),
    });
    const late = await open('cy');
    await converged([ana, bob, late], ([first]) => first?.purchased && first.tags.length === 3);
  },
);

scenario(
  'either generation founds it, and the other joins',
  {
    except: (['3', '5'] as const).map((generation) => ({
      where: { generation },
      because: 'it is about both generations',
    })),
  },
  async ({ open, converged }) => {
    for (const [library, founder, guest] of [
      ['by-3', '3.6.3', '5.5.0'],
      ['by-5', '5.5.0', '3.6.3'],
    ] as const) {
      const ana = await open('ana', { library, generation: founder, online: false });
      await ana.put('1', { content: 'milk', tags: ['cold'], labels: { shop: 'corner' } });
      await ana.start();
      const bob = await open('bob', { library, generation: guest });
      await bob.waitUntil((items) => items.length === 1);
      await bob.addTag('1', 'white');
      await bob.setLabel('1', 'aisle', '7');
      await ana.update('1', { purchased: true });
      await converged(
        [ana, bob],
        ([first]) => first?.purchased && first.tags.length === 2 && first.labels.aisle === '7',
      );
    }
  },
);
