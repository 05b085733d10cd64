import { describe, expect, test } from 'vitest';
import type { TestClient } from './clients/open-client.js';
import { waitFor } from './until.js';
import { inWorld, matrix } from './world.js';

const seen = (client: TestClient, userId: string) => client.peers()[userId];

describe.each(matrix)('presence, $label', (kind) => {
  const options = { ...kind, presenceLeaseMs: 1_500 };

  test('users see each other with profile and presence, changes, and leaving', () =>
    inWorld(options, async ({ open }) => {
      const ana = await open('ana', { presence: { cursor: 1 } });
      const bob = await open('bob', { presence: { cursor: 2 } });
      await waitFor(() => seen(ana, 'bob') && seen(bob, 'ana'), { describe: ana.describe });
      expect(seen(bob, 'ana')).toMatchObject({
        id: 'ana',
        presence: { cursor: 1 },
        profile: { id: 'ana', name: 'Name of ana' },
        replicaId: (await ana.replica()).id,
      });
      expect(Object.keys(ana.peers())).toEqual(['bob']);

      await bob.setPresence({ cursor: 7 });
      await waitFor(() => (seen(ana, 'bob')?.presence as { cursor?: number } | undefined)?.cursor === 7, {
        describe: ana.describe,
      });

      await bob.close();
      await waitFor(() => !seen(ana, 'bob'), { describe: ana.describe });
    }));

  test('a user leaves with the last device', () =>
    inWorld(options, async ({ app, library, open }) => {
      const ana = await open('ana');
      const [phone, laptop] = [await open('bob'), await open('bob')];
      await waitFor(() => seen(ana, 'bob'), { describe: ana.describe });
      await phone.close();
      await laptop.setPresence({ still: 'here' });
      await waitFor(() => (seen(ana, 'bob')?.presence as { still?: string } | undefined)?.still === 'here', {
        describe: ana.describe,
      });
      await laptop.close();
      await waitFor(() => !seen(ana, 'bob'), { describe: ana.describe });
      expect(Object.keys(await app.core.get(library).getPresence())).toEqual(['ana']);
    }));

  test('a lost network ends it as leaving does', () =>
    inWorld(options, async ({ open }) => {
      const [ana, bob] = [await open('ana'), await open('bob')];
      await waitFor(() => seen(ana, 'bob'), { describe: ana.describe });
      bob.goOffline();
      await waitFor(() => !seen(ana, 'bob'), { describe: ana.describe });
      bob.goOnline();
      await waitFor(() => seen(ana, 'bob'), { describe: ana.describe });
    }));
});
