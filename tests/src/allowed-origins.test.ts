import { describe, expect, test } from 'vitest';
import { ORIGIN } from './clients/socket.js';
import { waitFor } from './until.js';
import { authUrl, inWorld } from './world.js';

/* Which pages may open sockets, and read answers. The clients of these tests are pages of `ORIGIN`. */

const elsewhere = ['https://elsewhere.test'];

describe.each(['3.6.3', '5.5.0'] as const)('%s', (generation) => {
  test('a page of an allowed origin syncs', () =>
    inWorld({ generation, transport: 'socket', allowedOrigins: [ORIGIN] }, async (world) => {
      const [ana, bob] = [await world.open('ana'), await world.open('bob')];
      await ana.put('1', { content: 'milk' });
      await world.converged([ana, bob], (items) => items.length === 1);
      expect([...ana.wire.refusals, ...bob.wire.refusals]).toEqual([]);
    }));

  test('a page of another is refused with 403, and nothing that it writes is stored', () =>
    inWorld({ generation, transport: 'socket', allowedOrigins: elsewhere }, async (world) => {
      const ana = await world.open('ana', { online: false });
      await ana.put('1', { content: 'milk' });
      await ana.sync.start();
      await waitFor(() => ana.wire.refusals.includes(403), { deadline: 30_000, describe: ana.describe });
      ana.kill();
      expect(await world.app.core.get(world.library).getInfo()).toBeNull();
    }));
});

test('over HTTP only an allowed origin may read answers, errors included', () =>
  inWorld({ allowedOrigins: elsewhere }, async ({ app, library }) => {
    const response = await fetch(authUrl(app.base, library, 'ana'));
    const { accessToken } = (await response.json()) as { accessToken: string };
    for (const authorization of [`Bearer ${accessToken}`, 'Bearer nonsense', '']) {
      for (const [origin, allowed] of [
        [ORIGIN, null],
        [elsewhere[0]!, elsewhere[0]!],
      ] as const) {
        const answer = await fetch(`${app.base}/verdant`, {
          method: 'POST',
          headers: { authorization, origin },
          body: '{"messages":[]}',
        });
        await answer.text();
        expect(answer.headers.get('access-control-allow-origin')).toBe(allowed);
      }
    }
  }));
