import { expect } from 'vitest';
import type { TestClient } from '../clients/test-client.js';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

const later = { schemaVersion: 2 } as const;

const priorities = async (client: TestClient) =>
  Object.fromEntries((await client.rawItems()).map(({ id, priority }) => [id, priority]));

scenario(
  'one device moves to a new schema while the other works on with the old',
  {},
  async ({ open, reopen, converged }) => {
    const [ana, bob] = [await open('ana'), await open('bob')];
    await ana.put('1', { content: 'milk', tags: ['urgent'] });
    await ana.put('2', { content: 'bread' });
    await converged([ana, bob], (items) => items.length === 2);

    await ana.close();
    const anaLater = await reopen(ana, later);
    expect(await priorities(anaLater)).toEqual({ '1': 9, '2': 1 });
    await anaLater.edit('2', { call: 'set', args: ['priority', 5] });
    await anaLater.addTag('2', 'of ana');
    await anaLater.put('4', { content: 'salt' });
    // A client keeps what is dated by a newer schema, and shows it once it has that schema, too.
    await bob.addTag('1', 'of bob');
    await bob.update('2', { content: 'brown bread' });
    await bob.put('3', { content: 'eggs', tags: ['old schema'] });
    await anaLater.waitUntil(
      (items) => items.length === 4 && items[0]!.tags.length === 2 && items[1]!.content === 'brown bread',
    );
    await bob.waitUntil((items) => items.some(({ id }) => id === '3'));

    await bob.close();
    const bobLater = await reopen(bob, later);
    await bobLater.edit('3', { call: 'set', args: ['priority', 7] });
    await converged([anaLater, bobLater], (items) => items.length === 4);
    for (const client of [anaLater, bobLater]) {
      await waitFor(async () => JSON.stringify(await priorities(client)) === '{"1":9,"2":5,"3":7,"4":1}', {
        describe: client.describe,
      });
    }
    const cy = await open('cy', later);
    const items = await converged([anaLater, bobLater, cy], (held) => held.length === 4);
    expect(items[1]).toMatchObject({ content: 'brown bread', tags: ['of ana'] });
    expect(await priorities(cy)).toEqual({ '1': 9, '2': 5, '3': 7, '4': 1 });
  },
);

scenario(
  'what was written offline under the old schema is there under the new',
  {},
  async ({ open, reopen, converged }) => {
    const [ana, bob] = [await open('ana'), await open('bob')];
    await ana.put('1', { content: 'milk' });
    await converged([ana, bob], (items) => items.length === 1);
    await bob.stop();
    await bob.put('2', { content: 'written offline', tags: ['urgent'] });
    await bob.addTag('1', 'offline');
    await bob.close();
    await ana.close();
    const anaLater = await reopen(ana, later);
    await anaLater.put('3', { content: 'under the new schema' });

    const bobLater = await reopen(bob, later);
    const items = await converged([anaLater, bobLater], (held) => held.length === 3);
    expect(items.map(({ content }) => content)).toEqual(['milk', 'written offline', 'under the new schema']);
    expect(items[0]?.tags).toEqual(['offline']);
    for (const client of [anaLater, bobLater]) expect(await priorities(client)).toMatchObject({ '2': 9 });
  },
);
