import { TokenProvider } from '@verdant-web/server';
import { describe, expect, test } from 'vitest';
import { SECRET } from './server.js';
import { waitFor } from './until.js';
import { inWorld, matrix, type World } from './world.js';

/* What `core.revoke` and `core.disconnectUser` do to clients that are connected. */

const DEADLINE = 30_000;

async function pair({ open, converged }: World) {
  const [ana, bob] = [await open('ana'), await open('bob')];
  await ana.put('1', { content: 'milk' });
  await converged([ana, bob], (items) => items.length === 1);
  return { ana, bob };
}

describe('a user whose tokens are revoked', () => {
  test.each(matrix.filter(({ generation }) => generation === '5.5.0'))(
    '$label: is refused, comes back with a fresh token, and loses nothing that was written meanwhile',
    ({ generation, transport }) =>
      inWorld({ generation, transport }, async (world) => {
        const { ana, bob } = await pair(world);
        const [sockets, refused] = [ana.wire.sockets, ana.wire.refusals.length];
        await world.app.core.revoke({ userId: 'bob' });
        await bob.addTag('1', 'written meanwhile');
        await waitFor(() => bob.wire.refusals.includes(401), { deadline: DEADLINE, describe: bob.describe });
        await bob.addTag('1', 'written while refused');
        await ana.addTag('1', 'of ana');
        await world.converged([ana, bob], ([item]) => item?.tags.length === 3);
        expect(new Set(bob.wire.refusals)).toEqual(new Set([401]));
        // Nobody else notices.
        expect([ana.wire.sockets, ana.wire.refusals.length]).toEqual([sockets, refused]);
      }),
  );

  test.each(matrix.filter(({ generation }) => generation === '3.6.3'))(
    '$label: is refused until the page is loaded again, and loses nothing that was written meanwhile',
    ({ generation, transport }) =>
      inWorld({ generation, transport }, async (world) => {
        const { ana, bob } = await pair(world);
        await world.app.core.revoke({ userId: 'bob' });
        await bob.addTag('1', 'written meanwhile');
        await waitFor(() => bob.wire.refusals.includes(401), { deadline: DEADLINE, describe: bob.describe });
        await ana.addTag('1', 'of ana');
        await bob.close();
        const again = await world.reopen(bob);
        await world.converged([ana, again], ([item]) => item?.tags.length === 2);
      }),
  );

  test.each(matrix)(
    '$label: stays out where the auth endpoint refuses, and what it writes then is not stored',
    ({ generation, transport }) => {
      let isMember = true;
      let turnedAway = 0;
      const provider = new TokenProvider({ secret: SECRET });
      const issue: NonNullable<Parameters<typeof inWorld>[0]['issue']> = (request) => {
        if (request.userId !== 'bob' || isMember) return provider.getToken(request);
        turnedAway++;
        return null;
      };
      return inWorld({ generation, transport, issue }, async (world) => {
        const { ana, bob } = await pair(world);
        isMember = false;
        await world.app.core.revoke({ userId: 'bob', libraryId: world.library });
        await bob.addTag('1', 'too late');
        // 5.x is refused and asks for another token in vain; 3.x goes on with the one that it has.
        const isOut = () => bob.wire.refusals.includes(401) && (turnedAway > 0 || bob.generation === '3.6.3');
        await waitFor(isOut, { deadline: DEADLINE, describe: bob.describe });
        bob.kill();
        await ana.addTag('1', 'of ana');
        await world.converged([ana], ([item]) => item?.tags.length === 1);
        expect((await ana.get('1'))?.tags).toEqual(['of ana']);
      });
    },
  );

  test('is refused after a restart of the server, too', () =>
    inWorld({ generation: '5.5.0', transport: 'http' }, async (world) => {
      const { ana, bob } = await pair(world);
      bob.goOffline();
      await world.app.core.revoke({ userId: 'bob' });
      await world.app.restart();
      await bob.addTag('1', 'written offline');
      bob.goOnline();
      await world.converged([ana, bob], ([item]) => item?.tags.length === 1);
      expect(bob.wire.refusals).toContain(401);
      expect(ana.wire.refusals).not.toContain(401);
    }));
});

describe('a user who is disconnected', () => {
  test.each(matrix)(
    '$label: is shown as gone, and comes back by itself with the token that it has',
    ({ generation, transport }) =>
      inWorld({ generation, transport }, async (world) => {
        const { ana, bob } = await pair(world);
        const seesBob = async () => 'bob' in (await ana.peers());
        await waitFor(seesBob, { deadline: DEADLINE, describe: ana.describe });
        const [sockets, offline] = [bob.wire.sockets, ana.wire.received('presence-offline').length];
        await world.app.core.disconnectUser('bob', { libraryId: world.library });
        await bob.addTag('1', 'written meanwhile');
        if (transport === 'socket') {
          await waitFor(() => ana.wire.received('presence-offline').length > offline, { deadline: DEADLINE });
          await waitFor(() => bob.wire.sockets > sockets, { deadline: DEADLINE, describe: bob.describe });
        }
        await ana.addTag('1', 'of ana');
        await world.converged([ana, bob], ([item]) => item?.tags.length === 2);
        await waitFor(seesBob, { deadline: DEADLINE, describe: ana.describe });
        expect(bob.wire.refusals).toEqual([]);
      }),
  );
});
