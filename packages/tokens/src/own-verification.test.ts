import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { jwtVerify, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { codeOf } from './testing/code-of.js';
import type { AccessClaims } from './token-claims.js';
import { TokenVerifier } from './token-verifier.js';

/* Verification by the app's own function. */

const claims: AccessClaims = {
  sub: 'u1',
  lib: 'lib1',
  url: 'https://example.com/verdant',
  exp: 4_000_000_000,
};
const key = new TextEncoder().encode('a-secret-of-more-than-thirty-two-bytes!');

test('what it resolves to is the token', async () => {
  const seen: string[] = [];
  const verifier = new TokenVerifier({
    verifyToken: async (token) => {
      seen.push(token);
      return { ...claims, role: 'editor', type: '1', iat: 5 };
    },
  });
  const expected = {
    userId: 'u1',
    libraryId: 'lib1',
    syncEndpoint: 'https://example.com/verdant',
    fileEndpoint: 'https://example.com/verdant/files',
    type: 1,
    role: 'editor',
    expiresAt: 4_000_000_000_000,
    issuedAt: 5_000,
  };
  expect(await verifier.verify('a text of any kind')).toEqual(expected);
  expect(await verifier.verify('a text of any kind')).toEqual(expected);
  // Asked each time: only the app knows what it may rely on.
  expect(seen).toEqual(['a text of any kind', 'a text of any kind']);
});

test('may be synchronous', async () => {
  expect((await new TokenVerifier({ verifyToken: () => claims }).verify('x')).userId).toBe('u1');
});

test('is not asked where there is no token, or one that is too long', async () => {
  const verifier = new TokenVerifier({
    verifyToken: () => {
      throw new Error('asked');
    },
  });
  expect(await codeOf(verifier.verify(''))).toBe(4010);
  expect(await codeOf(verifier.verify('x'.repeat(8193)))).toBe(4011);
});

test.each<[object, number]>([
  [{ sub: '' }, 4011],
  [{ lib: undefined }, 4011],
  [{ lib: 'x'.repeat(1025) }, 4011],
  [{ url: 7 }, 4011],
  [{ type: 6 }, 4011],
  [{ role: {} }, 4011],
  [{ iat: 'today' }, 4011],
  [{ iat: Number.NaN }, 4011],
  [{ exp: undefined }, 4011],
  [{ exp: Number.POSITIVE_INFINITY }, 4011],
  [{ exp: 1 }, 4012],
])('claims are checked as those of a token are: %j', async (change, code) => {
  const verifier = new TokenVerifier({ verifyToken: () => ({ ...claims, ...change }) });
  expect(await codeOf(verifier.verify('x'))).toBe(code);
});

describe('what it throws', () => {
  test.each([
    VerdantErrorCode.TokenExpired,
    VerdantErrorCode.InvalidToken,
    VerdantErrorCode.Forbidden,
    VerdantErrorCode.Busy,
  ])('[AUTH-16] a VerdantError %d is the refusal', async (code) => {
    const refusal = new VerdantError(code, 'says the app');
    const verifier = new TokenVerifier({ verifyToken: () => Promise.reject(refusal) });
    await expect(verifier.verify('x')).rejects.toBe(refusal);
  });

  test.each([
    ['expired', { exp: 1, iss: 'us' }, key, 4012],
    ['of another key', { iss: 'us' }, new Uint8Array(32), 4012],
    ['of another issuer', { iss: 'someone' }, key, 4011],
  ])('jose is understood: a token %s', async (_name, payload, signedWith, code) => {
    const token = await new SignJWT({ ...payload }).setProtectedHeader({ alg: 'HS256' }).sign(signedWith);
    const verifier = new TokenVerifier({
      verifyToken: async (text) => {
        await jwtVerify(text, key, { issuer: 'us' });
        return claims;
      },
    });
    expect(await codeOf(verifier.verify(token))).toBe(code);
  });

  test('jose is understood: no token at all', async () => {
    const verifier = new TokenVerifier({
      verifyToken: async (token) => {
        await jwtVerify(token, key);
        return claims;
      },
    });
    expect(await codeOf(verifier.verify('x'))).toBe(4011);
  });

  test('[AUTH-16] any other error is thrown as it is, which the server answers with 500', async () => {
    const crash = new TypeError('cannot read properties of undefined');
    const verifier = new TokenVerifier({ verifyToken: () => Promise.reject(crash) });
    await expect(verifier.verify('x')).rejects.toBe(crash);
  });

  test.each([null, undefined, true, 'yes'])('%j in place of claims is such an error', async (answer) => {
    const verifier = new TokenVerifier({ verifyToken: () => answer as never });
    await expect(verifier.verify('x')).rejects.toThrow(/verifyToken must resolve to the claims/);
  });
});
