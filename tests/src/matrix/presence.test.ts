import { expect } from 'vitest';
import type { TestClient } from '../clients/test-client.js';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

const seen = async (client: TestClient, userId: string) => (await client.peers())[userId];

const options = { server: { presenceLeaseMs: 1_500 } };

scenario(
  'users see each other with profile and presence, changes, and leaving',
  options,
  async ({ open }) => {
    const ana = await open('ana', { presence: { cursor: 1 } });
    const bob = await open('bob', { presence: { cursor: 2 } });
    await waitFor(async () => (await seen(ana, 'bob')) && (await seen(bob, 'ana')), {
      describe: ana.describe,
    });
    expect(await seen(bob, 'ana')).toMatchObject({
      id: 'ana',
      presence: { cursor: 1 },
      profile: { id: 'ana', name: 'Name of ana' },
      replicaId: (await ana.replica()).id,
    });
    expect(Object.keys(await ana.peers())).toEqual(['bob']);

    await bob.setPresence({ cursor: 7 });
    await waitFor(
      async () => ((await seen(ana, 'bob'))?.presence as { cursor?: number } | undefined)?.cursor === 7,
      {
        describe: ana.describe,
      },
    );

    await bob.close();
    await waitFor(async () => !(await seen(ana, 'bob')), { describe: ana.describe });
  },
);

scenario('a user leaves with the last device', options, async ({ server, open }) => {
  const ana = await open('ana');
  const [phone, laptop] = [await open('bob'), await open('bob')];
  await waitFor(() => seen(ana, 'bob'), { describe: ana.describe });
  await phone.close();
  await laptop.setPresence({ still: 'here' });
  await waitFor(
    async () => ((await seen(ana, 'bob'))?.presence as { still?: string } | undefined)?.still === 'here',
    {
      describe: ana.describe,
    },
  );
  await laptop.close();
  await waitFor(async () => !(await seen(ana, 'bob')), { describe: ana.describe });
  // She may be changing to another transport, now that she is alone.
  await waitFor(async () => Object.keys(await server.getPresence()).join() === 'ana', {
    describe: () => server.getPresence(),
  });
});

scenario('a lost network ends it as leaving does', options, async ({ open }) => {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await waitFor(() => seen(ana, 'bob'), { describe: ana.describe });
  await bob.goOffline();
  await waitFor(async () => !(await seen(ana, 'bob')), { describe: ana.describe });
  await bob.goOnline();
  await waitFor(() => seen(ana, 'bob'), { describe: ana.describe });
});
