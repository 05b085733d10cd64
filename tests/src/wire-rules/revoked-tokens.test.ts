import { join } from 'node:path';
import { sqlStorage } from '@verdant-web/storage-sqlite';
import { describe, expect, test } from 'vitest';
import { removeFolder, temporaryFolder } from '../server.js';
import { founder, readBody } from './peer.js';
import { RawSocket, upgradeRequest } from './raw-socket.js';
import { type Composed, composed } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* What comes with a token that was revoked, or that cannot be verified now, as the wire has it. */

const refusal = (code: number) => ({ code, message: expect.any(String) as string });

/** Status, `Retry-After` and body of everything that a token can be shown to. */
async function answersTo({ base, port }: Composed, token: string) {
  const authorization = `Bearer ${token}`;
  const form = new FormData();
  form.set('file', new File(['x'], 'x.txt', { type: 'text/plain' }));
  const requests = [
    fetch(`${base}/verdant`, { method: 'POST', headers: { authorization }, body: '{"messages":[]}' }),
    fetch(`${base}/verdant/files/f`, { headers: { authorization } }),
    fetch(`${base}/verdant/files/f`, { method: 'POST', headers: { authorization }, body: form }),
  ];
  const answers = [];
  for (const response of await Promise.all(requests)) {
    const retryAfter = response.headers.get('retry-after');
    answers.push({ status: response.status, retryAfter, body: await readBody(response) });
  }
  const raw = await RawSocket.open(port);
  raw.write(upgradeRequest({ protocols: `Bearer, ${token}` }));
  const { status, headers, body } = await raw.answer();
  raw.destroy();
  const retryAfter = /^retry-after: (\d+)/im.exec(headers)?.[1] ?? null;
  return [...answers, { status, retryAfter, body: JSON.parse(body) as unknown }];
}

describe('[AUTH-12] a revoked token', () => {
  test('is refused with 401 and code 4012 wherever it is shown, after a restart, too', async () => {
    const folder = await temporaryFolder();
    const storage = () => sqlStorage({ databaseFile: join(folder, 'verdant.sqlite') });
    const library = fresh();
    let token = '';
    await composed({ storage: storage() }, async (server) => {
      token = tokenFor(server.base, library, 'ann');
      await server.core.authenticate(token);
      await server.core.revoke({ userId: 'ann' });
      for (const answer of await answersTo(server, token)) {
        expect(answer).toEqual({ status: 401, retryAfter: null, body: refusal(4012) });
      }
    });
    await composed({ storage: storage() }, async (server) => {
      for (const answer of await answersTo(server, token)) {
        expect(answer).toEqual({ status: 401, retryAfter: null, body: refusal(4012) });
      }
      const later = { iat: Math.floor(Date.now() / 1000) + 2 };
      await server.core.authenticate(tokenFor(server.base, library, 'ann', later));
      await server.core.authenticate(tokenFor(server.base, library, 'bob'));
    });
    await removeFolder(folder);
  });

  test('[AUTH-13] closes its socket with code 4012 and says why', () =>
    composed({}, async (server) => {
      const library = fresh();
      const [ann, bob] = [await founder(server, library), await founder(server, fresh(), 'bob')];
      await server.core.revoke({ userId: 'ann', libraryId: library });
      await expect
        .poll(() => ann.closed, { timeout: 20_000 })
        .toMatchObject({
          code: 4012,
          reason: expect.stringContaining('revoked'),
        });
      expect(bob.closed).toBeUndefined();
    }));
});

test('[AUTH-16] a token that the app fails to verify is 500, one that it will verify later 503 with Retry-After', () =>
  composed(
    {
      tokenSecret: undefined,
      tokens: {
        verifyToken: (token) => {
          if (token === 'hangs') return new Promise(() => {});
          throw new Error('the secret of the app, which is nobody else’s business');
        },
      },
    },
    async (server) => {
      for (const answer of await answersTo(server, 'crashes')) {
        expect(answer).toEqual({ status: 500, retryAfter: null, body: refusal(5000) });
        expect(JSON.stringify(answer.body)).not.toContain('secret of the app');
      }
      for (const answer of await answersTo(server, 'hangs')) {
        expect(answer).toEqual({ status: 503, retryAfter: '2', body: refusal(5030) });
      }
    },
  ));

test('[AUTH-15] a token of an identity provider that is out of order is 503 with Retry-After', () =>
  composed(
    { tokenSecret: undefined, tokens: { jwksUrl: 'http://127.0.0.1:1/jwks.json' } },
    async (server) => {
      const token = `${btoa('{"alg":"ES256","kid":"k1"}')}.e30.AAAA`.replaceAll('=', '');
      for (const answer of await answersTo(server, token)) {
        expect(answer).toEqual({ status: 503, retryAfter: '5', body: refusal(5030) });
      }
    },
  ));
