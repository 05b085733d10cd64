import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { codeOf } from './testing/code-of.js';
import { KeyServer, type SigningKey, signingKey } from './testing/identity-provider.js';
import { TokenVerifier } from './token-verifier.js';

/* An identity provider over real HTTP; the clock alone is the test's. */

const claims = { sub: 'u1', lib: 'lib1', url: 'https://id.test/verdant', type: 0, exp: 4_000_000_000 };
const MINUTE = 60_000;

let server: KeyServer;
let first: SigningKey;
let second: SigningKey;
let clock: number;
const log = vi.fn();

beforeEach(async () => {
  [first, second] = [await signingKey('EdDSA', 'first'), await signingKey('ES256', 'second')];
  server = await KeyServer.start(first);
  clock = Date.UTC(2026, 0, 1);
  log.mockReset();
});
afterEach(() => server.stop());

const verifierOf = () => new TokenVerifier({ jwksUrl: server.url, now: () => clock, log });
/** Two tokens of one key are different texts, so that none is known from before. */
let serial = 0;
const tokenOf = (key: SigningKey, more: object = {}) => key.sign({ ...claims, serial: ++serial, ...more });
const refusal = (verification: Promise<unknown>) =>
  verification.then(
    () => undefined,
    ({ code, status, retryAfter }: { code: number; status: number; retryAfter?: number }) => ({
      code,
      status,
      retryAfter,
    }),
  );
const busy = { code: 5030, status: 503, retryAfter: 5 };

test.each(['EdDSA', 'ES256', 'RS256'])('keys for %s are fetched, once for many tokens', async (alg) => {
  const key = await signingKey(alg, 'k1');
  server.publish(key);
  const verifier = verifierOf();
  expect(server.requests).toBe(0);
  const tokens = await Promise.all([tokenOf(key), tokenOf(key), tokenOf(key)]);
  for (const end of await Promise.all(tokens.map((token) => codeOf(verifier.verify(token))))) {
    expect(end).toBe('accepted');
  }
  clock += 9 * MINUTE;
  expect(await codeOf(verifier.verify(await tokenOf(key)))).toBe('accepted');
  expect(server.requests).toBe(1);
});

describe('keys that are replaced', () => {
  test('[AUTH-9] a new one is fetched when the first token names it, and the old one serves on while it is published', async () => {
    const verifier = verifierOf();
    expect(await codeOf(verifier.verify(await tokenOf(first)))).toBe('accepted');
    server.publish(first, second);
    clock += 11_000;
    expect(await codeOf(verifier.verify(await tokenOf(second)))).toBe('accepted');
    expect(await codeOf(verifier.verify(await tokenOf(first)))).toBe('accepted');
    expect(server.requests).toBe(2);
  });

  test('one that is no longer published is not accepted once the set is ten minutes old, not even for a token seen before', async () => {
    const verifier = verifierOf();
    const token = await tokenOf(first);
    expect(await codeOf(verifier.verify(token))).toBe('accepted');
    server.publish(second);
    clock += 9 * MINUTE;
    expect(await codeOf(verifier.verify(token))).toBe('accepted');
    clock += 2 * MINUTE;
    expect(await codeOf(verifier.verify(token))).toBe(4012);
    expect(await codeOf(verifier.verify(await tokenOf(second)))).toBe('accepted');
  });

  test('made-up key ids are refused as curable, and cost no more than a request in ten seconds', async () => {
    const verifier = verifierOf();
    const ends = [];
    for (let index = 0; index < 50; index++) {
      ends.push(await codeOf(verifier.verify(await first.sign(claims, { kid: `made-up-${index}` }))));
    }
    expect(new Set(ends)).toEqual(new Set([4012]));
    expect(server.requests).toBe(1);
    clock += 10_001;
    expect(await codeOf(verifier.verify(await first.sign(claims, { kid: 'made-up' })))).toBe(4012);
    expect(server.requests).toBe(2);
  });
});

describe('a provider that cannot be reached', () => {
  const outages: [string, () => Promise<void> | void][] = [
    ['is down', () => server.stop()],
    [
      'answers 500',
      () => {
        server.status = 500;
      },
    ],
    [
      'redirects',
      () => {
        server.status = 302;
      },
    ],
    [
      'sends no JSON',
      () => {
        server.keys = '<html>';
      },
    ],
    [
      'sends no key set',
      () => {
        server.keys = '{"keys":"none"}';
      },
    ],
    [
      'never answers',
      () => {
        server.hangs = true;
      },
    ],
  ];

  test.each(outages)(
    '[AUTH-15] (it %s) is 503, never a refusal, and is told to the log',
    async (_name, breakIt) => {
      await breakIt();
      const verifier = verifierOf();
      expect(await refusal(verifier.verify(await tokenOf(first)))).toEqual(busy);
      expect(log).toHaveBeenCalledExactlyOnceWith('warn', expect.stringContaining('identity provider'), {
        url: server.url,
        err: expect.anything(),
      });
    },
  );

  test.each(outages)(
    '[AUTH-15] (it %s) does not trouble tokens of known keys, for a day',
    async (_name, breakIt) => {
      const verifier = verifierOf();
      expect(await codeOf(verifier.verify(await tokenOf(first)))).toBe('accepted');
      await breakIt();
      clock += 23 * 60 * MINUTE;
      expect(await codeOf(verifier.verify(await tokenOf(first)))).toBe('accepted');
      expect(await refusal(verifier.verify(await tokenOf(second)))).toEqual(busy);
      clock += 2 * 60 * MINUTE;
      expect(await refusal(verifier.verify(await tokenOf(first)))).toEqual(busy);
    },
  );

  test('is not asked again for each token, and is found again when it is back', async () => {
    server.status = 500;
    const verifier = verifierOf();
    for (let index = 0; index < 20; index++) {
      expect(await refusal(verifier.verify(await tokenOf(first)))).toEqual(busy);
    }
    expect(server.requests).toBe(1);
    expect(log).toHaveBeenCalledTimes(1);
    server.status = 200;
    clock += 2_001;
    expect(await codeOf(verifier.verify(await tokenOf(first)))).toBe('accepted');
  });
});

test('[AUTH-1] an RSA key that is too short is not accepted, whoever publishes it', async () => {
  const weak = await weakKey();
  server.publish(weak);
  expect(await codeOf(verifierOf().verify(await tokenOf(weak)))).toBe(4011);
});

test('keys of other kinds in the set are passed over', async () => {
  const published = server.keys as { keys: object[] };
  published.keys.unshift(
    { kty: 'oct', k: 'AAAA', kid: 'first' },
    { kty: 'RSA', use: 'enc', n: 'AAAA', e: 'AQAB', kid: 'first' },
    { kty: 'from the future' },
  );
  expect(await codeOf(verifierOf().verify(await tokenOf(first)))).toBe('accepted');
});

/** jose signs with none: made by hand. */
async function weakKey(): Promise<SigningKey> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    { ...algorithm, modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ['sign', 'verify'],
  );
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return {
    publicJwk: {
      ...(await crypto.subtle.exportKey('jwk', publicKey)),
      kid: 'weak',
    } as SigningKey['publicJwk'],
    privateJwk: {} as SigningKey['privateJwk'],
    sign: async (payload) => {
      const signed = `${encode({ alg: 'RS256', kid: 'weak' })}.${encode(payload)}`;
      const bytes = await crypto.subtle.sign(algorithm, privateKey, new TextEncoder().encode(signed));
      return `${signed}.${Buffer.from(bytes).toString('base64url')}`;
    },
  };
}
