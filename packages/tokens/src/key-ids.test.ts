import { base64url, type JWTPayload, SignJWT } from 'jose';
import { expect, test, vi } from 'vitest';
import { codeOf } from './testing/code-of.js';
import { TokenProvider } from './token-provider.js';
import { TokenVerifier } from './token-verifier.js';

/* Key ids of secrets: what names its key is checked with that one alone. */

const oldSecret = 'an-old-secret-of-more-than-thirty-two-b!';
const newSecret = 'a-new-secret-of-more-than-thirty-two-by!';
const claims = { sub: 'u1', lib: 'lib1', url: 'https://example.com/verdant', exp: 4_000_000_000 };

const sign = (secret: string, kid?: unknown) =>
  new SignJWT(claims as JWTPayload)
    .setProtectedHeader({ alg: 'HS256', ...(kid !== undefined && { kid: kid as string }) })
    .sign(new TextEncoder().encode(secret));

const both = [
  { id: 'new', secret: newSecret },
  { id: 'old', secret: oldSecret },
];

test('a provider names its key in the header', () => {
  const provider = new TokenProvider({ secret: newSecret, keyId: 'new' });
  const token = provider.getToken({ userId: 'u1', libraryId: 'lib1', syncEndpoint: claims.url });
  const header = new TextDecoder().decode(base64url.decode(token.split('.')[0]!));
  expect(JSON.parse(header)).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'new' });
});

test.each(['', 'x'.repeat(201), 7])('a provider takes no key id %j', (keyId) => {
  expect(() => new TokenProvider({ secret: newSecret, keyId: keyId as string })).toThrow(
    /id of a token secret/,
  );
});

test('[AUTH-9] while a secret is being replaced, tokens of both are good', async () => {
  const verifier = new TokenVerifier({ secret: both });
  expect(await codeOf(verifier.verify(await sign(newSecret, 'new')))).toBe('accepted');
  expect(await codeOf(verifier.verify(await sign(oldSecret, 'old')))).toBe('accepted');
});

test('[AUTH-6] once it is replaced, tokens of the old one are told to be fetched anew', async () => {
  const verifier = new TokenVerifier({ secret: both[0]! });
  expect(await codeOf(verifier.verify(await sign(oldSecret, 'old')))).toBe(4012);
  expect(await codeOf(verifier.verify(await sign(oldSecret)))).toBe(4012);
});

test('[AUTH-14] a known key id picks that secret and no other', async () => {
  const token = await sign(oldSecret, 'new');
  const check = vi.spyOn(crypto.subtle, 'verify');
  expect(await codeOf(new TokenVerifier({ secret: [...both, oldSecret] }).verify(token))).toBe(4012);
  expect(check).toHaveBeenCalledTimes(1);
  check.mockRestore();
});

test('[AUTH-14] a token without a key id is tried with all', async () => {
  const verifier = new TokenVerifier({ secret: both });
  expect(await codeOf(verifier.verify(await sign(oldSecret)))).toBe('accepted');
});

test('[AUTH-14] a key id that is not known is tried with the secrets that have none', async () => {
  expect(await codeOf(new TokenVerifier({ secret: oldSecret }).verify(await sign(oldSecret, 'x')))).toBe(
    'accepted',
  );
  const verifier = new TokenVerifier({ secret: [both[0]!, oldSecret] });
  expect(await codeOf(verifier.verify(await sign(oldSecret, 'x')))).toBe('accepted');
  expect(await codeOf(verifier.verify(await sign(newSecret, 'x')))).toBe(4012);
});

test.each([null, 7, {}, ['new'], '__proto__'])(
  'a key id that reads %j is none that is known',
  async (kid) => {
    expect(await codeOf(new TokenVerifier({ secret: both }).verify(await sign(newSecret, kid)))).toBe(4012);
  },
);
