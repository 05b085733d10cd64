import { describe, expect, test } from 'vitest';
import type { TestClient } from './clients/open-client.js';
import { inWorld, sameItems } from './world.js';

const ids = (items: { id: string }[]) => items.map(({ id }) => id).join();

/** Whether anything of the document ever reached this client, by whatever message. */
const wasTold = (client: TestClient, oid: string): boolean =>
  client.wire.entries.some(
    ({ direction, message }) => direction === 'received' && JSON.stringify(message).includes(oid),
  );

describe.each(['socket', 'http'] as const)('private documents, 5.5.0 over %s', (transport) => {
  const kind = { generation: '5.5.0', transport } as const;

  test("reach all devices of their user, and nobody else's", () =>
    inWorld(kind, async ({ open, converged }) => {
      const [phone, laptop, bob] = [await open('ana'), await open('ana'), await open('bob')];
      await phone.put('shared', { content: 'milk' });
      await phone.putPrivate('secret', { content: 'diary', tags: ['mine'] });
      await converged([phone, laptop], (items) => ids(items) === 'secret,shared');
      await laptop.addTag('secret', 'more');
      await laptop.setLabel('secret', 'kept', 'under the bed');
      await laptop.addTag('shared', 'seen');
      await converged([phone, laptop], ([secret]) => secret?.tags.length === 2 && secret.labels.kept);
      await converged([bob], (items) => ids(items) === 'shared' && items[0]!.tags.length === 1);
      expect(wasTold(bob, 'items/secret')).toBe(false);
    }));

  test('stay private when they were written before the first sync', () =>
    inWorld(kind, async ({ open, converged }) => {
      const phone = await open('ana', { online: false });
      await phone.putPrivate('secret', { content: 'diary', tags: ['mine'] });
      await phone.put('shared', { content: 'milk' });
      await phone.start();
      const [laptop, bob] = [await open('ana'), await open('bob')];
      await converged([phone, laptop], (items) => ids(items) === 'secret,shared');
      await phone.addTag('secret', 'later');
      await converged([phone, laptop], ([secret]) => secret?.tags.length === 2);
      await converged([bob], (items) => ids(items) === 'shared');
      expect(wasTold(bob, 'items/secret')).toBe(false);
    }));

  test('stay private when they were written offline', () =>
    inWorld(kind, async ({ open, converged }) => {
      const [phone, laptop, bob] = [await open('ana'), await open('ana'), await open('bob')];
      phone.goOffline();
      await phone.putPrivate('secret', { content: 'diary' });
      await phone.put('shared');
      phone.goOnline();
      await converged([phone, laptop], (items) => ids(items) === 'secret,shared');
      await converged([bob], (items) => ids(items) === 'shared');
      expect(wasTold(bob, 'items/secret')).toBe(false);
    }));

  test('stay private when they have been folded, and their deletion too', () =>
    inWorld(kind, async ({ app, library, open, converged }) => {
      const [phone, bob] = [await open('ana'), await open('bob')];
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
      await expect
        .poll(async () => (await app.core.get(library).getInfo())?.baselinesCount, { timeout: 10_000 })
        .toBeGreaterThanOrEqual(4);

      const [laptop, cy] = [await open('ana'), await open('cy')];
      await converged(
        [phone, laptop],
        (items) => ids(items) === 'secret,shared' && items[0]!.tags.length === 2,
      );
      await converged([bob, cy], (items) => ids(items) === 'shared');
      await laptop.delete('secret');
      await sameItems([phone, laptop, bob, cy], (items) => ids(items) === 'shared');
      for (const other of [bob, cy]) expect(wasTold(other, 'items/secret')).toBe(false);
    }));

  test('of two users do not meet', () =>
    inWorld(kind, async ({ open, converged }) => {
      const [ana, bob] = [await open('ana'), await open('bob')];
      await ana.putPrivate('of ana');
      await bob.putPrivate('of bob');
      await ana.put('shared');
      await converged([ana], (items) => ids(items) === 'of ana,shared');
      await converged([bob], (items) => ids(items) === 'of bob,shared');
    }));

  test('are unknown to a 3.6.3 client of another user', () =>
    inWorld(kind, async ({ open, converged }) => {
      const [ana, bob] = [await open('ana'), await open('bob', { generation: '3.6.3' })];
      await ana.putPrivate('secret', { content: 'diary' });
      await ana.put('shared');
      await converged([bob], (items) => ids(items) === 'shared');
      expect(wasTold(bob, 'items/secret')).toBe(false);
    }));
});
