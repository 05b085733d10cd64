import { expect } from 'vitest';
import type { TestClient } from '../clients/test-client.js';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

const ids = (items: { id: string }[]) => items.map(({ id }) => id).join();

/** Whether anything of the document ever reached this client, by whatever message. */
const wasTold = async (client: TestClient, oid: string): Promise<boolean> =>
  (await client.traffic()).entries.some(
    ({ direction, message }) => direction === 'received' && JSON.stringify(message).includes(oid),
  );

/** At the end nobody holds what another user keeps private. */
const options = {
  alike: 'user',
  except: [{ where: { generation: '3' }, because: '3.6.3 has no private documents' }],
} as const;
const newer = { generation: '5.5.0' } as const;

scenario("reach all devices of their user, and nobody else's", options, async ({ open, converged }) => {
  const [phone, laptop, bob] = [await open('ana', newer), await open('ana', newer), await open('bob')];
  await phone.put('shared', { content: 'milk' });
  await phone.putPrivate('secret', { content: 'diary', tags: ['mine'] });
  await converged([phone, laptop], (items) => ids(items) === 'secret,shared');
  await laptop.addTag('secret', 'more');
  await laptop.setLabel('secret', 'kept', 'under the bed');
  await laptop.addTag('shared', 'seen');
  await converged([phone, laptop], ([secret]) => secret?.tags.length === 2 && secret.labels.kept);
  await converged([bob], (items) => ids(items) === 'shared' && items[0]!.tags.length === 1);
  expect(await wasTold(bob, 'items/secret')).toBe(false);
});

scenario(
  'stay private when they were written before the first sync',
  options,
  async ({ open, converged }) => {
    const phone = await open('ana', { ...newer, online: false });
    await phone.putPrivate('secret', { content: 'diary', tags: ['mine'] });
    await phone.put('shared', { content: 'milk' });
    await phone.start();
    const [laptop, bob] = [await open('ana', newer), await open('bob')];
    await converged([phone, laptop], (items) => ids(items) === 'secret,shared');
    await phone.addTag('secret', 'later');
    await converged([phone, laptop], ([secret]) => secret?.tags.length === 2);
    await converged([bob], (items) => ids(items) === 'shared');
    expect(await wasTold(bob, 'items/secret')).toBe(false);
  },
);

scenario('stay private when they were written offline', options, async ({ open, converged }) => {
  const [phone, laptop, bob] = [await open('ana', newer), await open('ana', newer), await open('bob')];
  await phone.goOffline();
  await phone.putPrivate('secret', { content: 'diary' });
  await phone.put('shared');
  await phone.goOnline();
  await converged([phone, laptop], (items) => ids(items) === 'secret,shared');
  await converged([bob], (items) => ids(items) === 'shared');
  expect(await wasTold(bob, 'items/secret')).toBe(false);
});

scenario(
  'stay private when they have been folded, and their deletion too',
  options,
  async ({ server, open, converged }) => {
    const [phone, bob] = [await open('ana', newer), await open('bob')];
    await phone.putPrivate('secret', { content: 'diary' });
    await phone.put('shared');
    await converged([bob], (items) => ids(items) === 'shared');
    for (const tag of ['a', 'b']) {
      await bob.addTag('shared', tag);
      await phone.waitUntil((items) => items.find(({ id }) => id === 'shared')?.tags.includes(tag));
      await phone.addTag('secret', tag);
      await phone.addTag('shared', `${tag} of ana`);
      await bob.waitUntil((items) => items[0]?.tags.includes(`${tag} of ana`));
    }
    await waitFor(async () => (await server.getInfo())!.baselinesCount >= 4, {
      describe: () => server.getInfo(),
    });

    const [laptop, cy] = [await open('ana', newer), await open('cy')];
    await converged(
      [phone, laptop],
      (items) => ids(items) === 'secret,shared' && items[0]!.tags.length === 2,
    );
    await converged([bob, cy], (items) => ids(items) === 'shared');
    await laptop.delete('secret');
    await converged([phone, laptop, bob, cy], (items) => ids(items) === 'shared');
    for (const other of [bob, cy]) expect(await wasTold(other, 'items/secret')).toBe(false);
  },
);

scenario(
  'of two users do not meet',
  {
    ...options,
    except: [
      ...options.except,
      { where: { generation: 'mixed' }, because: 'both users write private documents, and 3.6.3 has none' },
    ],
  },
  async ({ open, converged }) => {
    const [ana, bob] = [await open('ana', newer), await open('bob')];
    await ana.putPrivate('of ana');
    await bob.putPrivate('of bob');
    await ana.put('shared');
    await converged([ana], (items) => ids(items) === 'of ana,shared');
    await converged([bob], (items) => ids(items) === 'of bob,shared');
  },
);
