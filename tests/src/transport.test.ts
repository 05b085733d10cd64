import { describe, expect, test } from 'vitest';
import { type Generation, generations } from './clients/bundle.js';
import type { TestClient } from './clients/open-client.js';
import { never, waitFor } from './until.js';
import { inWorld } from './world.js';

/** A client decides a second after the last peer has left. */
const DECISION_MS = 8_000;

const mode = (wanted: 'pull' | 'realtime', ...clients: TestClient[]) =>
  waitFor(() => clients.every(({ sync }) => sync.mode === wanted && sync.isConnected), {
    deadline: DECISION_MS,
    describe: async () => (await Promise.all(clients.map((client) => client.describe()))).join('\n\n'),
  });

const pairs: { first: Generation; second: Generation }[] = [
  { first: '3.6.3', second: '3.6.3' },
  { first: '5.5.0', second: '5.5.0' },
  { first: '5.5.0', second: '3.6.3' },
];

describe.each(pairs)('automatic transport, $first with $second', ({ first, second }) => {
  test('both change to sockets when a second user comes, and back when alone again', () =>
    inWorld({ transport: 'auto' }, async ({ open, converged }) => {
      const ana = await open('ana', { generation: first });
      await ana.put('1', { content: 'milk' });
      await never(() => ana.wire.sockets > 0, 600, 'a lone client opened a socket');

      const bob = await open('bob', { generation: second });
      await mode('realtime', ana, bob);
      await bob.waitUntil((items) => items.length === 1);
      await bob.addTag('1', 'over a socket');
      await converged([ana, bob], ([item]) => item?.tags.length === 1);
      expect(
        bob.wire.entries.some(({ transport, message }) => transport === 'socket' && message.type === 'op'),
      ).toBe(true);

      await bob.close();
      await mode('pull', ana);
      await ana.addTag('1', 'over http again');
      await converged([ana], ([item]) => item?.tags.length === 2);
    }));

  test('two devices of one user change to sockets too', () =>
    inWorld({ transport: 'auto' }, async ({ open, converged }) => {
      const phone = await open('ana', { generation: first });
      await phone.put('1');
      const laptop = await open('ana', { generation: second });
      await mode('realtime', phone, laptop);
      await laptop.waitUntil((items) => items.length === 1);
      await laptop.addTag('1', 'of the laptop');
      await phone.addTag('1', 'of the phone');
      await converged([phone, laptop], ([item]) => item?.tags.length === 2);
    }));
});

describe.each(generations)('changing the transport by hand, %s', (generation) => {
  test('amid writing loses and doubles nothing', () =>
    inWorld({ transport: 'http', generation }, async ({ open, converged }) => {
      const [ana, bob] = [await open('ana'), await open('bob')];
      await ana.put('1');
      await bob.waitUntil((items) => items.length === 1);
      for (let n = 0; n < 12; n++) {
        const [writer, other] = n % 2 ? [ana, bob] : [bob, ana];
        if (n % 3 === 0) {
          const wanted = writer.sync.mode === 'pull' ? 'realtime' : 'pull';
          writer.sync.setMode(wanted);
          // 3.x is stuck for good when it is asked to change back before it has arrived.
          await Promise.all([mode(wanted, writer), writer.addTag('1', `changing ${n}`)]);
        }
        await Promise.all([writer.addTag('1', `w${n}`), other.addTag('1', `o${n}`)]);
      }
      const [item] = await converged([ana, bob], ([held]) => held && held.tags.length >= 28);
      expect(item!.tags).toHaveLength(28);
      expect(new Set(item!.tags).size).toBe(28);
    }));
});

test.each(generations)('automatic transport, %s: a library of its own needs no socket', (generation) =>
  inWorld({ transport: 'auto', generation }, async ({ open }) => {
    const ana = await open('ana');
    const other = await open('bob', { library: 'another' });
    await never(
      () => ana.wire.sockets + other.wire.sockets > 0,
      1_000,
      'a socket for users of different libraries',
    );
  }),
);
