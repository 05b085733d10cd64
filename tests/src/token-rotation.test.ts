import { TokenProvider } from '@verdant-web/server';
import { expect, test } from 'vitest';
import { waitFor } from './until.js';
import { inWorld, matrix } from './world.js';

/* A secret is replaced while clients are connected: see docs/tokens.md for the order of steps. */

const oldSecret = { id: 'old', secret: 'an-old-secret-of-the-tests-0123456789-abc' };
const newSecret = { id: 'new', secret: 'a-new-secret-of-the-tests-0123456789-abcd' };

function rotation() {
  const state = { accepted: [oldSecret], signedWith: oldSecret };
  const options = {
    verification: () => ({ tokenSecret: state.accepted }),
    issue: (request: Parameters<TokenProvider['getToken']>[0]) =>
      new TokenProvider({ secret: state.signedWith.secret, keyId: state.signedWith.id }).getToken(request),
  };
  return { state, options };
}

test.each(matrix)('$label: with overlap, nobody is refused', ({ generation, transport }) => {
  const { state, options } = rotation();
  return inWorld({ generation, transport, ...options }, async (world) => {
    const ana = await world.open('ana');
    await ana.put('1', { content: 'milk' });
    // First the server knows both,
    state.accepted = [newSecret, oldSecret];
    await world.app.restart();
    await ana.addTag('1', 'after the restart');
    // then the app signs with the new one,
    state.signedWith = newSecret;
    const bob = await world.open('bob');
    await bob.addTag('1', 'with a token of the new one');
    await world.converged([ana, bob], ([item]) => item?.tags.length === 2);
    expect([ana.wire.refusals.includes(401), bob.wire.refusals.includes(401)]).toEqual([false, false]);
  });
});

test.each(matrix)(
  '$label: once the old one is dropped, its tokens are refused',
  ({ generation, transport }) => {
    const { state, options } = rotation();
    return inWorld({ generation, transport, ...options }, async (world) => {
      const ana = await world.open('ana');
      await ana.put('1', { content: 'milk' });
      state.signedWith = newSecret;
      state.accepted = [newSecret];
      await world.app.restart();
      const bob = await world.open('bob');
      await waitFor(() => ana.wire.refusals.includes(401), { deadline: 30_000, describe: ana.describe });
      await ana.addTag('1', 'written while refused');
      // 5.x fetches a fresh token by itself, 3.x once the page is loaded again.
      if (generation === '3.6.3') await ana.close();
      const again = generation === '3.6.3' ? await world.reopen(ana) : ana;
      await world.converged([again, bob], ([item]) => item?.tags.length === 1);
      expect(new Set(bob.wire.refusals)).toEqual(new Set());
    });
  },
);
