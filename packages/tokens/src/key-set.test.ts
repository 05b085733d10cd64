import { VerdantErrorCode } from '@verdant-web/protocol';
import { base64url, type JSONWebKeySet, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { codeOf } from './testing/code-of.js';
import { signingKey } from './testing/identity-provider.js';
import { TokenVerifier } from './token-verifier.js';

const claims = { sub: 'u1', lib: 'lib1', url: 'https://id.test/verdant', type: 0, exp: 4_000_000_000 };
const algorithms = ['EdDSA', 'Ed25519', 'ES256', 'RS256'];
const secret = 'a-secret-of-more-than-thirty-two-bytes!';

const verify = (keys: JSONWebKeySet, token: string, more: object = {}) =>
  codeOf(new TokenVerifier({ keys, ...more }).verify(token));

describe.each(algorithms)('tokens signed with %s', (alg) => {
  test('[AUTH-1] [AUTH-14] are accepted with the public key, by its id or without one', async () => {
    const [named, nameless] = [await signingKey(alg, 'k1'), await signingKey(alg)];
    const keys = { keys: [named.publicJwk, nameless.publicJwk] };
    expect(await verify(keys, await named.sign(claims))).toBe('accepted');
    expect(await verify(keys, await nameless.sign(claims))).toBe('accepted');
    expect(await verify(keys, await named.sign(claims, { kid: undefined }))).toBe('accepted');
  });

  test('[AUTH-6] of another key are told to be fetched anew', async () => {
    const [ours, other] = [await signingKey(alg, 'k1'), await signingKey(alg, 'k2')];
    const keys = { keys: [ours.publicJwk] };
    expect(await verify(keys, await other.sign(claims))).toBe(4012);
    expect(await verify(keys, await other.sign(claims, { kid: 'k1' }))).toBe(4012);
    expect(await verify(keys, await other.sign(claims, { kid: undefined }))).toBe(4012);
  });

  test('are accepted with no key that the header brings along', async () => {
    const [ours, other] = [await signingKey(alg, 'k1'), await signingKey(alg, 'k2')];
    const token = await other.sign(claims, { jwk: other.publicJwk, kid: 'k1' });
    expect(await verify({ keys: [ours.publicJwk] }, token)).toBe(4012);
  });

  test('end, and need their claims, as any', async () => {
    const key = await signingKey(alg, 'k1');
    const keys = { keys: [key.publicJwk] };
    expect(await verify(keys, await key.sign({ ...claims, exp: 1 }))).toBe(4012);
    expect(await verify(keys, await key.sign({ ...claims, exp: undefined }))).toBe(4011);
    expect(await verify(keys, await key.sign({ ...claims, lib: undefined }))).toBe(4011);
  });

  test('without their signature are none of ours', async () => {
    const key = await signingKey(alg, 'k1');
    const token = await key.sign(claims);
    const cut = token.slice(0, token.lastIndexOf('.') + 1);
    expect(await verify({ keys: [key.publicJwk] }, cut)).toBe(4011);
  });

  test('are refused where only secrets are known', async () => {
    const key = await signingKey(alg, 'k1');
    expect(await codeOf(new TokenVerifier({ secret }).verify(await key.sign(claims)))).toBe(4011);
  });
});

test('[AUTH-1] a public key is no secret: HS256 with its text is refused', async () => {
  for (const alg of algorithms) {
    const { publicJwk } = await signingKey(alg, 'k1');
    for (const text of [JSON.stringify(publicJwk), publicJwk.x ?? publicJwk.n!]) {
      for (const bytes of [new TextEncoder().encode(text), base64url.decode(publicJwk.x ?? publicJwk.n!)]) {
        const token = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(bytes);
        expect(await verify({ keys: [publicJwk] }, token)).toBe(4011);
        expect(await verify({ keys: [publicJwk] }, token, { secret })).toBe(4012);
      }
    }
  }
});

test('[AUTH-1] an algorithm is accepted only with the kind of key that it is for', async () => {
  const keys = await Promise.all(algorithms.map((alg) => signingKey(alg, alg)));
  const set = { keys: keys.map(({ publicJwk }) => publicJwk) };
  for (const [index, key] of keys.entries()) {
    for (const kid of algorithms.filter((_, other) => other !== index)) {
      // EdDSA and Ed25519 are two names of one thing, but these are two keys.
      expect(await verify(set, await key.sign(claims, { kid }))).toBe(4012);
    }
  }
});

test.each(['RS384', 'RS512', 'PS256', 'PS512', 'ES384', 'ES512'])(
  '[AUTH-1] %s is not accepted',
  async (alg) => {
    const [accepted, key] = [await signingKey('RS256', 'k1'), await signingKey(alg, 'k1')];
    expect(await verify({ keys: [accepted.publicJwk] }, await key.sign(claims))).toBe(4011);
  },
);

test('secrets and public keys may serve side by side', async () => {
  const key = await signingKey('ES256', 'k1');
  const hmac = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));
  for (const token of [await key.sign(claims), hmac]) {
    expect(await verify({ keys: [key.publicJwk] }, token, { secret })).toBe('accepted');
  }
});

describe('issuer and audience', () => {
  const asked = { issuer: 'https://id.test', audience: ['verdant', 'other'] };

  test('are asked of tokens of public keys', async () => {
    const key = await signingKey('ES256', 'k1');
    const keys = { keys: [key.publicJwk] };
    const good = { ...claims, iss: 'https://id.test', aud: 'verdant' };
    expect(await verify(keys, await key.sign(good), asked)).toBe('accepted');
    expect(await verify(keys, await key.sign({ ...good, aud: ['x', 'other'] }), asked)).toBe('accepted');
    expect(await verify(keys, await key.sign({ ...good, iss: 'https://else.test' }), asked)).toBe(4011);
    expect(await verify(keys, await key.sign({ ...good, aud: 'x' }), asked)).toBe(4011);
    expect(await verify(keys, await key.sign(claims), asked)).toBe(4011);
  });

  test('are not asked of tokens that we sign ourselves', async () => {
    const key = await signingKey('ES256', 'k1');
    const hmac = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    expect(await verify({ keys: [key.publicJwk] }, hmac, { secret, ...asked })).toBe('accepted');
  });
});

describe('a wrong configuration is told at start', () => {
  const problems: [string, () => Promise<unknown>, RegExp][] = [
    ['no set', async () => ({}), /no list "keys"/],
    ['null', async () => null, /no list "keys"/],
    ['an empty set', async () => ({ keys: [] }), /no key that signs/],
    ['a key that is null', async () => ({ keys: [null] }), /key 1 is no object/],
    ['keys that encrypt only', async () => ({ keys: [{ kty: 'RSA', use: 'enc' }] }), /no key that signs/],
    ['a private key', async () => ({ keys: [(await signingKey('ES256')).privateJwk] }), /key 1 is private/],
    ['a shared secret', async () => ({ keys: [{ kty: 'oct', k: 'AAAA' }] }), /option secret/],
    ['another curve', async () => ({ keys: [(await signingKey('ES384')).publicJwk] }), /no P-256 key/],
    [
      'a short RSA key',
      async () => ({ keys: [{ kty: 'RSA', e: 'AQAB', n: base64url.encode(new Uint8Array(128).fill(255)) }] }),
      /2048 bits/,
    ],
    [
      'a short RSA key, filled up with zeros',
      async () => ({
        keys: [{ kty: 'RSA', e: 'AQAB', n: base64url.encode(new Uint8Array(300).fill(255, 150)) }],
      }),
      /2048 bits/,
    ],
    ['a cut-off key', async () => ({ keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }] }), /no Ed25519 key/],
    [
      'another algorithm',
      async () => ({ keys: [{ ...(await signingKey('RS256')).publicJwk, alg: 'PS256' }] }),
      /for "PS256"/,
    ],
    ['an unknown kind', async () => ({ keys: [{ kty: 'constructor' }] }), /of the kind "constructor"/],
    [
      'two keys of one id',
      async () => ({
        keys: [(await signingKey('ES256', 'a')).publicJwk, (await signingKey('ES256', 'a')).publicJwk],
      }),
      /same "kid"/,
    ],
  ];

  test.each(problems)('%s', async (_name, make, message) => {
    const keys = (await make()) as JSONWebKeySet;
    expect(() => new TokenVerifier({ keys })).toThrow(
      expect.objectContaining({
        code: VerdantErrorCode.Configuration,
        message: expect.stringMatching(message),
      }),
    );
  });

  test('a good set may hold keys that encrypt', async () => {
    const key = await signingKey('RS256', 'k1');
    const keys = { keys: [{ kty: 'RSA', use: 'enc', n: 'AAAA', e: 'AQAB', kid: 'k1' }, key.publicJwk] };
    expect(await verify(keys, await key.sign(claims))).toBe('accepted');
  });

  test.each([
    [{}, /secret is missing/],
    [{ secret: undefined, jwksUrl: 'https://id.test/jwks' }, /secret is missing/],
    [{ keys: { keys: [] }, jwksUrl: 'https://id.test/jwks' }, /not both/],
    [{ jwksUrl: 'id.test/jwks' }, /absolute URL/],
    [{ jwksUrl: 'file:///etc/jwks' }, /absolute URL/],
    [{ secret, issuer: 'https://id.test' }, /issuer and audience/],
    [{ verifyToken: 'no function' }, /must be a function/],
    [{ verifyToken: () => claims, secret }, /leave out secret/],
  ])('%j', (options, message) => {
    expect(() => new TokenVerifier(options as object)).toThrow(
      expect.objectContaining({
        code: VerdantErrorCode.Configuration,
        message: expect.stringMatching(message),
      }),
    );
  });
});
