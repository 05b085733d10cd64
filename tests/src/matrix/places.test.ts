import { expect } from 'vitest';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

scenario(
  'users see who is in the same view, and in which field',
  { except: [{ where: { generation: '3' }, because: '3.6.3 has no views and fields' }] },
  async ({ open }) => {
    const newer = { generation: '5.5.0' } as const;
    const [ana, bob] = [await open('ana', newer), await open('bob', newer)];
    // In a mixed world one who knows nothing of places is there, too.
    const cy = await open('cy');
    const everyone = async () =>
      Object.keys(await ana.peers())
        .sort()
        .join();
    await waitFor(async () => (await everyone()) === 'bob,cy', { deadline: 20_000, describe: ana.describe });

    const sees = (wanted: { inView: string[]; inField: string[] }) =>
      waitFor(
        async () => {
          const seen = await ana.peersAt({ field: 'content' });
          expect({ inView: [...seen.inView].sort(), inField: seen.inField }).toEqual(wanted);
          return true;
        },
        { deadline: 20_000, describe: ana.describe },
      );
    await ana.setPlace({ view: 'list' });
    await bob.setPlace({ view: 'list' });
    await sees({ inView: ['bob'], inField: [] });
    await bob.setPlace({ field: 'content' });
    await sees({ inView: ['bob'], inField: ['bob'] });
    await bob.setPlace({ view: 'settings' });
    await sees({ inView: [], inField: ['bob'] });
    await bob.setPlace({ field: 'tags' });
    await sees({ inView: [], inField: [] });
    // What an app shows of a user is kept apart from where they are.
    await bob.setPresence({ mood: 'good' });
    await waitFor(async () => (await ana.peers()).bob?.presence, { deadline: 20_000 });
    await waitFor(
      async () => ((await ana.peers()).bob?.presence as { mood?: string } | undefined)?.mood === 'good',
      { deadline: 20_000, describe: ana.describe },
    );
    await sees({ inView: [], inField: [] });
    await cy.put('1');
    await ana.waitUntil((items) => items.length === 1);
  },
);
