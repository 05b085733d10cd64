import { describe, expect, test } from 'vitest';
import { waitFor } from './until.js';
import { inWorld, type World } from './world.js';

/** A token is good for a second, and for five more that the verifier tolerates. */
const shortLived = { tokenExpiresIn: 1 };
const EXPIRED_MS = 12_000;

async function pair({ open, converged }: World) {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { content: 'milk' });
  await converged([ana, bob], (items) => items.length === 1);
  return { ana, bob };
}

describe('an expired token', () => {
  test('5.5.0 over socket: the socket is closed, and the next has a fresh token', () =>
    inWorld({ ...shortLived, generation: '5.5.0', transport: 'socket' }, async (world) => {
      const { ana, bob } = await pair(world);
      const answers = () => ana.wire.received('sync-resp').length;
      for (const round of [1, 2]) {
        const before = answers();
        await waitFor(() => answers() > before, { deadline: EXPIRED_MS, describe: ana.describe });
        await ana.addTag('1', `a${round}`);
        await bob.addTag('1', `b${round}`);
        await world.converged([ana, bob], ([first]) => first?.tags.length === 2 * round);
      }
    }));

  test('5.5.0 over http: the poll is refused once, and the next has a fresh token', () =>
    inWorld({ ...shortLived, generation: '5.5.0', transport: 'http' }, async (world) => {
      const { ana, bob } = await pair(world);
      for (const round of [1, 2]) {
        const refused = ana.wire.refusals.length;
        await waitFor(() => ana.wire.refusals.length > refused, {
          deadline: EXPIRED_MS,
          describe: ana.describe,
        });
        await ana.addTag('1', `a${round}`);
        await bob.addTag('1', `b${round}`);
        await world.converged([ana, bob], ([first]) => first?.tags.length === 2 * round);
      }
      expect(new Set(ana.wire.refusals)).toEqual(new Set([401]));
    }));

  test('3.6.3 over http: what it wrote waits for the next page, which has a fresh token', () =>
    inWorld({ ...shortLived, generation: '3.6.3', transport: 'http' }, async (world) => {
      const { ana, bob } = await pair(world);
      await bob.close();
      await waitFor(() => ana.wire.refusals.includes(401), { deadline: EXPIRED_MS, describe: ana.describe });
      await ana.addTag('1', 'written with an expired token');
      await ana.close();
      const [anaAgain, bobAgain] = [await world.reopen(ana), await world.reopen(bob)];
      await world.converged([anaAgain, bobAgain], ([first]) => first?.tags.length === 1);
    }));

  test('3.6.3 over socket: where sockets may outlive their token, nothing happens', () =>
    inWorld(
      { ...shortLived, closeSocketsOnTokenExpiry: false, generation: '3.6.3', transport: 'socket' },
      async (world) => {
        const { ana, bob } = await pair(world);
        const opened = Date.now();
        await waitFor(() => Date.now() - opened > 7_000, { deadline: EXPIRED_MS });
        expect([ana.wire.sockets, bob.wire.sockets]).toEqual([1, 1]);
        await bob.addTag('1', 'still there');
        await world.converged([ana, bob], ([first]) => first?.tags.length === 1);
      },
    ));
});
