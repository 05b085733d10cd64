import { type TokenRequest, VerdantError, VerdantErrorCode } from '@verdant-web/server';
import { importJWK, jwtVerify } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import {
  KeyServer,
  type SigningKey,
  signingKey,
} from '../../packages/tokens/src/testing/identity-provider.js';
import { waitFor } from './until.js';
import { inWorld } from './world.js';

/* Tokens that somebody else signs, and tokens that the app verifies itself, with real clients. */

const DEADLINE = 30_000;
const ISSUER = 'https://id.test';

let provider: KeyServer | undefined;
afterEach(async () => {
  await provider?.stop();
  provider = undefined;
});

/** What an identity provider has to put into a token: the client reads `url` and `type`, the server the rest. */
const claimsOf = ({ userId, libraryId, syncEndpoint, type = 0, expiresIn = 3600 }: TokenRequest) => {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: ISSUER,
    aud: 'verdant',
    sub: userId,
    lib: libraryId,
    url: syncEndpoint,
    type,
    iat: now,
    exp: now + Number(expiresIn),
  };
};

/** A provider, and the options of an app that relies on it. `state.key` is what it signs with. */
async function providerWith(key: SigningKey) {
  const keys = await KeyServer.start(key);
  provider = keys;
  const state = { key };
  const options = {
    verification: () => ({ tokens: { jwksUrl: keys.url, issuer: ISSUER, audience: 'verdant' } }),
    issue: (request: TokenRequest) => state.key.sign(claimsOf(request)),
  };
  return { keys, state, options };
}

describe('tokens of an identity provider', () => {
  test.each([
    ['EdDSA', '5.5.0', 'socket'],
    ['EdDSA', '3.6.3', 'http'],
    ['ES256', '3.6.3', 'socket'],
    ['ES256', '5.5.0', 'http'],
    ['RS256', '5.5.0', 'socket'],
    ['RS256', '3.6.3', 'http'],
  ] as const)('%s, %s over %s: clients sync', async (alg, generation, transport) => {
    const { options, keys } = await providerWith(await signingKey(alg, 'k1'));
    await inWorld({ generation, transport, ...options }, async (world) => {
      const [ana, bob] = [await world.open('ana'), await world.open('bob')];
      await ana.put('1', { content: 'milk' });
      await bob.put('2', { content: 'eggs' });
      await world.converged([ana, bob], (items) => items.length === 2);
      expect([...ana.wire.refusals, ...bob.wire.refusals]).toEqual([]);
      expect(keys.requests).toBe(1);
    });
  });

  test.each(['socket', 'http'] as const)(
    '5.5.0 over %s: a new key is found by itself, and who is connected stays',
    async (transport) => {
      const { options, keys, state } = await providerWith(await signingKey('EdDSA', 'first'));
      await inWorld({ generation: '5.5.0', transport, ...options }, async (world) => {
        const ana = await world.open('ana');
        await ana.put('1', { content: 'milk' });
        const sockets = ana.wire.sockets;
        const second = await signingKey('ES256', 'second');
        keys.publish(state.key, second);
        state.key = second;
        const bob = await world.open('bob', { online: false });
        // Refused until the keys may be fetched again, ten seconds after the last time.
        await bob.sync.start();
        await bob.waitUntil((items) => items.length === 1, DEADLINE);
        await bob.addTag('1', 'with a token of the new key');
        await world.converged([ana, bob], ([item]) => item?.tags.length === 1);
        expect([ana.wire.sockets, ana.wire.refusals]).toEqual([sockets, []]);
      });
    },
  );

  test.each(['socket', 'http'] as const)(
    '5.5.0 over %s: an outage troubles only tokens of keys that are not known, and those with 503',
    async (transport) => {
      const { options, keys, state } = await providerWith(await signingKey('EdDSA', 'first'));
      await inWorld({ generation: '5.5.0', transport, ...options }, async (world) => {
        const ana = await world.open('ana');
        await ana.put('1', { content: 'milk' });
        const first = state.key;
        // The server starts anew while the provider is out of order: it knows no keys at all.
        keys.status = 500;
        await world.app.restart();
        await waitFor(() => ana.wire.refusals.includes(503), { deadline: DEADLINE, describe: ana.describe });
        await ana.addTag('1', 'written while refused');
        keys.status = 200;
        const bob = await world.open('bob');
        await world.converged([ana, bob], ([item]) => item?.tags.length === 1);
        expect(ana.wire.refusals).not.toContain(401);
        // Once they are known, an outage is noticed by nobody.
        keys.status = 500;
        state.key = first;
        const carl = await world.open('carl');
        await carl.addTag('1', 'during an outage');
        await world.converged([ana, bob, carl], ([item]) => item?.tags.length === 2);
        expect(carl.wire.refusals).toEqual([]);
      });
    },
  );
});

describe('tokens that the app verifies', () => {
  test.each(['socket', 'http'] as const)(
    '5.5.0 over %s: it says no, fails, and says yes again; nothing that was written is lost',
    async (transport) => {
      const key = await signingKey('EdDSA', 'k1');
      let answer: 'yes' | 'a fresh one' | 'crash' = 'yes';
      const verifyToken = async (token: string) => {
        if (answer === 'crash') throw new Error('the database of the app is gone');
        if (answer === 'a fresh one')
          throw new VerdantError(VerdantErrorCode.TokenExpired, 'Another, please.');
        const { payload } = await jwtVerify<ReturnType<typeof claimsOf>>(token, await publicKey(key));
        return payload;
      };
      await inWorld(
        {
          generation: '5.5.0',
          transport,
          verification: () => ({ tokens: { verifyToken } }),
          issue: (request) => key.sign(claimsOf(request)),
        },
        async (world) => {
          const ana = await world.open('ana');
          await ana.put('1', { content: 'milk' });
          for (const [index, [no, status]] of (
            [
              ['a fresh one', 401],
              ['crash', 500],
            ] as const
          ).entries()) {
            answer = no;
            await world.app.core.disconnectUser('ana');
            await waitFor(() => ana.wire.refusals.includes(status), {
              deadline: DEADLINE,
              describe: ana.describe,
            });
            await ana.addTag('1', no);
            answer = 'yes';
            await world.converged([ana], ([item]) => item?.tags.length === index + 1);
          }
          // The crash, and nothing else, is an error of the server's.
          for (const line of world.app.errors.splice(0))
            expect(line).toContain('the database of the app is gone');
        },
      );
    },
  );
});

const publicKey = ({ publicJwk }: SigningKey) => importJWK(publicJwk, 'EdDSA');
