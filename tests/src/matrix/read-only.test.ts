import { ReplicaType } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { waitFor } from '../until.js';
import { scenariosOf } from './scenario.js';

const scenario = scenariosOf(import.meta.url);

const readers = [
  { replicaType: ReplicaType.ReadOnlyRealtime, kind: 'of a read-only token', except: [] },
  {
    replicaType: ReplicaType.ReadOnlyPull,
    kind: 'of a pull-only token',
    except: (['socket', 'auto'] as const).map((transport) => ({
      where: { transport },
      because: 'a token that only pulls gets no socket',
    })),
  },
];

for (const { replicaType, kind, except } of readers) {
  const asReader = { replicaType };

  scenario(`a reader ${kind} sees all that others write`, { except }, async ({ open, converged }) => {
    const ana = await open('ana');
    await ana.put('1', { content: 'milk' });
    const reader = await open('rita', asReader);
    await converged([ana, reader], (items) => items.length === 1);
    await ana.addTag('1', 'cold');
    await ana.put('2');
    await converged([ana, reader], (items) => items.length === 2 && items[0]!.tags.length === 1);
    await ana.delete('1');
    await converged([ana, reader], (items) => items.length === 1);
  });

  scenario(
    `a reader ${kind} writes nothing, and forgets what it tried to`,
    { except, resets: 'due' },
    async ({ open, converged }) => {
      const [ana, reader] = [await open('ana'), await open('rita', asReader)];
      await ana.put('1', { content: 'milk' });
      await reader.waitUntil((items) => items.length === 1);
      const calm = () => waitFor(() => reader.calm(), { deadline: 20_000, describe: reader.describe });
      await calm();
      await reader.update('1', { content: 'hacked' });
      // While a reset is applied, the client can write nothing.
      await calm();
      await reader.goOffline();
      await reader.put('2', { content: 'smuggled' });
      // A socket tells its content only at the next sync.
      await reader.goOnline();
      await reader.waitUntil((items) => !items.some(({ id }) => id === '2'));
      await calm();
      // 5.5.0 hides a document that a reset brings while it is on the screen, until a field of it changes.
      await ana.update('1', { purchased: true });
      const items = await converged([ana, reader], ([first]) => first?.purchased);
      expect(items.map(({ content }) => content)).toEqual(['milk']);
      expect(JSON.stringify((await ana.traffic()).entries)).not.toContain('smuggled');
    },
  );

  scenario(
    `a reader ${kind} does not found a library`,
    { except, resets: 'due' },
    async ({ server, open, converged }) => {
      const reader = await open('rita', asReader);
      await reader.put('9', { content: 'of the reader' });
      const ana = await open('ana', { online: false });
      await ana.put('1', { content: 'milk' });
      await ana.start();
      expect((await server.getInfo())?.baselinesCount).toBeGreaterThan(0);
      await reader.goOffline();
      await reader.goOnline();
      await reader.waitUntil((items) => !items.some(({ id }) => id === '9'));
      // 5.5.0 hides a document that a reset brings while it is on the screen, until a field of it changes.
      await ana.update('1', { purchased: true });
      const items = await converged([ana, reader], ([first]) => first?.purchased);
      expect(items.map(({ id }) => id)).toEqual(['1']);
    },
  );

  scenario(
    `a reader ${kind} gets all it missed while it was away`,
    { except, resets: 'due' },
    async ({ open, reopen, converged }) => {
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
    },
  );
}

scenario(
  'a socket is refused to a pull-only token',
  {
    except: (['http', 'auto'] as const).map((transport) => ({
      where: { transport },
      because: 'it is about sockets',
    })),
  },
  async ({ runtime, open }) => {
    const reader = await open('rita', { replicaType: ReplicaType.ReadOnlyPull, online: false });
    void reader.beginSync();
    await waitFor(async () => (await reader.traffic()).refusals.length > 0, { describe: reader.describe });
    const { refusals, entries } = await reader.traffic();
    // A page is not told the status.
    expect(refusals[0]).toBe(runtime === 'node' ? 403 : 0);
    expect(entries.filter(({ direction }) => direction === 'received')).toEqual([]);
    await reader.kill();
  },
);
