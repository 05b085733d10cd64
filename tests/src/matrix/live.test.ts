import { expect } from 'vitest';
import type { TestClient } from '../clients/test-client.js';
import { scenariosOf } from './scenario.js';
import type { World } from './world.js';

const scenario = scenariosOf(import.meta.url);

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

scenario('two clients edit the same document at once', {}, async ({ open, converged }) => {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { content: 'milk' });
  await bob.waitUntil((items) => items.length === 1);

  await Promise.all([
    ...range(10).map((n) => ana.addTag('1', `a${n}`)),
    ...range(10).map((n) => bob.addTag('1', `b${n}`)),
    ana.setLabel('1', 'by', 'ana'),
    bob.setLabel('1', 'with', 'bob'),
    ana.update('1', { content: 'oat milk' }),
    bob.update('1', { purchased: true }),
  ]);

  const [item] = await converged([ana, bob], ([first]) => first?.tags.length === 20 && first.purchased);
  expect(new Set(item?.tags).size).toBe(20);
  expect(item).toMatchObject({ content: 'oat milk', labels: { by: 'ana', with: 'bob' } });
});

scenario('five clients', {}, async (world) => {
  const clients = await Promise.all(range(5).map((n) => world.open(`user${n}`)));
  await everyoneEdits(world, clients);
});

scenario(
  'five clients over whatever transport',
  {
    except: [
      { where: { transport: 'http' }, because: 'the transports are given' },
      { where: { transport: 'auto' }, because: 'the transports are given' },
    ],
  },
  async (world) => {
    const transports = ['socket', 'socket', 'http', 'http', 'auto'] as const;
    const clients = await Promise.all(
      transports.map((transport, n) => world.open(`user${n}`, { transport })),
    );
    await everyoneEdits(world, clients);
  },
);

/** Each creates documents, changes those of the others, and deletes one. */
async function everyoneEdits({ converged }: World, clients: TestClient[]): Promise<void> {
  const count = clients.length;
  await Promise.all(
    clients.map(async (client, n) => {
      for (const doc of range(3)) await client.put(`${n}-${doc}`, { content: `of ${n}` });
    }),
  );
  await converged(clients, (items) => items.length === 3 * count);

  await Promise.all(
    clients.map(async (client, n) => {
      for (const other of range(count)) await client.addTag(`${other}-0`, `${n}`);
      await client.update(`${(n + 1) % count}-1`, {
        content: `changed by ${n}`,
        meta: { color: 'red', size: n },
      });
      await client.delete(`${n}-2`);
    }),
  );
  const items = await converged(
    clients,
    (held) =>
      held.length === 2 * count &&
      held.filter(({ id }) => id.endsWith('-0')).every(({ tags }) => tags.length === count) &&
      held.filter(({ id }) => id.endsWith('-1')).every(({ content }) => content.startsWith('changed')),
  );
  for (const { id, tags } of items) {
    if (id.endsWith('-0')) expect([...tags].sort()).toEqual(range(count).map(String));
  }
}
