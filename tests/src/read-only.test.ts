import { ReplicaType } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { generations } from './clients/bundle.js';
import { waitFor } from './until.js';
import { inWorld } from './world.js';

const readers = generations.flatMap((generation) => [
  {
    generation,
    transport: 'http',
    replicaType: ReplicaType.ReadOnlyPull,
    label: `${generation}, pull only`,
  } as const,
  {
    generation,
    transport: 'http',
    replicaType: ReplicaType.ReadOnlyRealtime,
    label: `${generation} over http`,
  } as const,
  {
    generation,
    transport: 'socket',
    replicaType: ReplicaType.ReadOnlyRealtime,
    label: `${generation} over socket`,
  } as const,
]);

describe.each(readers)('read-only replica, $label', ({ generation, transport, replicaType }) => {
  const asReader = { transport, replicaType } as const;

  test('reads all that others write', () =>
    inWorld({ generation }, async ({ open, converged }) => {
      const ana = await open('ana');
      await ana.put('1', { content: 'milk' });
      const reader = await open('rita', asReader);
      await converged([ana, reader], (items) => items.length === 1);
      await ana.addTag('1', 'cold');
      await ana.put('2');
      await converged([ana, reader], (items) => items.length === 2 && items[0]!.tags.length === 1);
      await ana.delete('1');
      await converged([ana, reader], (items) => items.length === 1);
    }));

  test('writes nothing, and forgets what it tried to', () =>
    inWorld({ generation }, async ({ open, converged }) => {
      const [ana, reader] = [await open('ana'), await open('rita', asReader)];
      await ana.put('1', { content: 'milk' });
      await reader.waitUntil((items) => items.length === 1);
      await reader.update('1', { content: 'hacked' });
      await reader.put('2', { content: 'smuggled' });
      // A socket tells its content only at the next sync.
      reader.goOffline();
      reader.goOnline();
      await ana.addTag('1', 'cold');
      const items = await converged([ana, reader], ([first]) => first?.tags.length === 1);
      expect(items.map(({ content }) => content)).toEqual(['milk']);
      expect(JSON.stringify(ana.wire.entries)).not.toContain('smuggled');
    }));

  test('does not found a library', () =>
    inWorld({ generation }, async ({ app, library, open, converged }) => {
      const reader = await open('rita', asReader);
      await reader.put('9', { content: 'of the reader' });
      const ana = await open('ana', { online: false });
      await ana.put('1', { content: 'milk' });
      await ana.start();
      expect((await app.core.get(library).getInfo())?.baselinesCount).toBeGreaterThan(0);
      reader.goOffline();
      reader.goOnline();
      await reader.waitUntil((items) => !items.some(({ id }) => id === '9'));
      // 5.5.0 hides a document that a reset brings while it is on the screen, until a field of it changes.
      await ana.update('1', { purchased: true });
      const items = await converged([ana, reader], ([first]) => first?.purchased);
      expect(items.map(({ id }) => id)).toEqual(['1']);
    }));

  test('gets all it missed while it was away', () =>
    inWorld({ generation }, async ({ open, reopen, converged }) => {
      const [ana, bob] = [await open('ana'), await open('bob')];
      await ana.put('1', { content: 'milk' });
      const reader = await open('rita', asReader);
      await reader.waitUntil((items) => items.length === 1);
      await reader.close();
      for (const tag of ['a', 'b', 'c']) {
        await ana.addTag('1', tag);
        await bob.waitUntil(([first]) => first?.tags.includes(tag));
      }
      await bob.put('2');
      const again = await reopen(reader, asReader);
      await converged([ana, bob, again], (items) => items.length === 2 && items[0]!.tags.length === 3);
    }));
});

describe.each(generations)('%s', (generation) => {
  test('a socket is refused to a pull-only token', () =>
    inWorld({ generation }, async ({ open }) => {
      const reader = await open('rita', { replicaType: ReplicaType.ReadOnlyPull, online: false });
      void reader.sync.start();
      await waitFor(() => reader.wire.refusals.length > 0, { describe: reader.describe });
      expect(reader.wire.refusals[0]).toBe(403);
      expect(reader.wire.received('sync-resp')).toEqual([]);
    }));
});
