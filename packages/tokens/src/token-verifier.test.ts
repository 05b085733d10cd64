import { ReplicaType, VerdantErrorCode } from '@verdant-web/protocol';
import { base64url, type JWTPayload, SignJWT } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { TokenProvider } from './token-provider.js';
import { TokenVerifier } from './token-verifier.js';

const secret = 'a-secret-of-more-than-thirty-two-bytes!';
const otherSecret = 'another-secret-of-more-than-thirty-two!';
const now = Date.UTC(2026, 0, 1);
const seconds = now / 1000;
const claims = { sub: 'u1', lib: 'lib1', url: 'https://example.com/verdant', type: 0, exp: seconds + 60 };

const encode = (text: string) => new TextEncoder().encode(text);
const sign = (payload: object, { alg = 'HS256', key = secret, header = {} } = {}) =>
  new SignJWT(payload as JWTPayload).setProtectedHeader({ alg, ...header }).sign(encode(key));
const unsigned = (header: unknown, payload: unknown, signature = '') =>
  `${base64url.encode(JSON.stringify(header))}.${base64url.encode(JSON.stringify(payload))}.${signature}`;
/** Signed with our secret, over text that no JSON writer makes. */
const signText = async (payload: string) => {
  const signed = `${base64url.encode('{"alg":"HS256"}')}.${base64url.encode(payload)}`;
  const key = await crypto.subtle.importKey('raw', encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  return `${signed}.${base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', key, encode(signed))))}`;
};

const verifierAt = (time = now, secrets: string | string[] = secret) =>
  new TokenVerifier({ secret: secrets, now: () => time });

const codeOf = (verification: Promise<unknown>) =>
  verification.then(
    () => 'accepted',
    (error: { code: number }) => error.code,
  );

afterEach(() => vi.restoreAllMocks());

describe('a genuine token', () => {
  test('from our own provider', async () => {
    const token = new TokenProvider({ secret }).getToken({
      userId: 'u1',
      libraryId: 'lib1',
      syncEndpoint: 'http://127.0.0.1:3000/verdant',
      fileEndpoint: 'https://files.example.com/f',
      role: 'editor',
      type: ReplicaType.PassivePush,
      expiresIn: 60,
    });
    const verified = await new TokenVerifier({ secret }).verify(token);
    expect(verified).toEqual({
      userId: 'u1',
      libraryId: 'lib1',
      syncEndpoint: 'http://127.0.0.1:3000/verdant',
      fileEndpoint: 'https://files.example.com/f',
      role: 'editor',
      type: ReplicaType.PassivePush,
      expiresAt: expect.any(Number),
      issuedAt: expect.any(Number),
    });
    expect(Math.floor(verified.issuedAt! / 1000) * 1000).toBe(verified.expiresAt - 60_000);
    expect(Math.abs(verified.issuedAt! - Date.now())).toBeLessThan(10_000);
  });

  test('says when it was issued to the millisecond', async () => {
    vi.useFakeTimers({ now: now + 123, toFake: ['Date'] });
    for (const offset of [0, 1, 456, 876]) {
      vi.setSystemTime(now + 123 + offset);
      const token = new TokenProvider({ secret }).getToken({
        userId: 'u1',
        libraryId: 'lib1',
        syncEndpoint: 'https://example.com/verdant',
      });
      expect((await verifierAt().verify(token)).issuedAt).toBe(now + 123 + offset);
    }
    vi.useRealTimers();
  });

  test('[AUTH-3] [AUTH-4] from jose, with the least claims', async () => {
    const { type: _, ...least } = claims;
    expect(await verifierAt().verify(await sign(least))).toEqual({
      userId: 'u1',
      libraryId: 'lib1',
      syncEndpoint: 'https://example.com/verdant',
      fileEndpoint: 'https://example.com/verdant/files',
      type: ReplicaType.Realtime,
      role: undefined,
      expiresAt: now + 60_000,
    });
  });

  test('[AUTH-4] appends /files to a sync endpoint with a trailing slash', async () => {
    const token = await sign({ ...claims, url: 'https://example.com/verdant/' });
    expect((await verifierAt().verify(token)).fileEndpoint).toBe('https://example.com/verdant/files');
  });

  test.each([0, 1, 2, 3, 4, 5])(
    '[AUTH-3] has type %d as a number and as text; a number comes out',
    async (type) => {
      expect((await verifierAt().verify(await sign({ ...claims, type }))).type).toBe(type);
      expect((await verifierAt().verify(await sign({ ...claims, type: String(type) }))).type).toBe(type);
    },
  );

  test('[AUTH-5] is good until its end and the tolerance after it, and no longer', async () => {
    const token = await sign(claims);
    const tolerance = verifierAt().clockToleranceMs;
    expect(tolerance).toBe(5000);
    expect(await codeOf(verifierAt(now + 60_000 + tolerance - 1).verify(token))).toBe('accepted');
    expect(await codeOf(verifierAt(now + 60_000 + tolerance).verify(token))).toBe(
      VerdantErrorCode.TokenExpired,
    );
  });

  test('takes a tolerance of its own', async () => {
    const token = await sign(claims);
    const strict = new TokenVerifier({ secret, clockToleranceSeconds: 0, now: () => now + 60_000 });
    expect(await codeOf(strict.verify(token))).toBe(VerdantErrorCode.TokenExpired);
  });

  test('[AUTH-9] is accepted with the old and the new secret while one is being replaced', async () => {
    const verifier = verifierAt(now, [otherSecret, secret]);
    expect(await codeOf(verifier.verify(await sign(claims)))).toBe('accepted');
    expect(await codeOf(verifier.verify(await sign(claims, { key: otherSecret })))).toBe('accepted');
  });
});

describe('a token that a fresh one may cure is TokenExpired (4012)', () => {
  test('[AUTH-6] it has ended', async () => {
    expect(await codeOf(verifierAt().verify(await sign({ ...claims, exp: seconds - 6 })))).toBe(4012);
  });

  test('[AUTH-6] it was signed with another secret', async () => {
    expect(await codeOf(verifierAt().verify(await sign(claims, { key: otherSecret })))).toBe(4012);
    expect(
      await codeOf(verifierAt(now, [secret, `${secret}2`]).verify(await sign(claims, { key: otherSecret }))),
    ).toBe(4012);
  });

  test('another secret, whatever the unproven claims say', async () => {
    expect(await codeOf(verifierAt().verify(await sign({ lib: {} }, { key: otherSecret })))).toBe(4012);
  });

  test('it has a claim changed after signing', async () => {
    const [header, , signature] = (await sign(claims)).split('.');
    const forged = `${header}.${base64url.encode(JSON.stringify({ ...claims, sub: 'admin' }))}.${signature}`;
    expect(await codeOf(verifierAt().verify(forged))).toBe(4012);
  });

  test('its signature is cut off', async () => {
    const token = await sign(claims);
    expect(await codeOf(verifierAt().verify(token.slice(0, -4)))).toBe(4012);
  });

  test('[AUTH-7] but not one that has no signature: it could never have been ours', async () => {
    const token = await sign(claims);
    expect(await codeOf(verifierAt().verify(token.slice(0, token.lastIndexOf('.') + 1)))).toBe(4011);
  });

  test('[AUTH-6] it is not valid yet, beyond the tolerance', async () => {
    expect(await codeOf(verifierAt().verify(await sign({ ...claims, nbf: seconds + 6 })))).toBe(4012);
    expect(await codeOf(verifierAt().verify(await sign({ ...claims, nbf: seconds + 5 })))).toBe('accepted');
  });
});

describe('a token that could never have been ours is InvalidToken (4011)', () => {
  test.each([
    ['HS384', secret.repeat(2)],
    ['HS512', secret.repeat(2)],
  ])('[AUTH-1] algorithm %s', async (alg, key) => {
    expect(await codeOf(verifierAt(now, key).verify(await sign(claims, { alg, key })))).toBe(4011);
  });

  test.each(['none', 'None', 'RS256', 'ES256', 'HS1', '', null, undefined, 256])(
    '[AUTH-1] algorithm %j in its header',
    async (alg) => {
      expect(await codeOf(verifierAt().verify(unsigned({ alg }, claims)))).toBe(4011);
      expect(await codeOf(verifierAt().verify(unsigned({ alg }, claims, 'AAAA')))).toBe(4011);
    },
  );

  test.each([
    ['no token at all', 'hello'],
    ['two parts', 'a.b'],
    ['five parts', 'a.b.c.d.e'],
    ['empty parts', '..'],
    ['no base64', '!.!.!'],
    ['a header that is no JSON', `${base64url.encode('{')}.e30.AAAA`],
    ['a header that is an array', unsigned(['HS256'], claims)],
    ['a header that is null', unsigned(null, claims)],
    ['NUL characters', '\u0000.\u0000.\u0000'],
    ['a lone surrogate', '\ud800.e30.AAAA'],
  ])('[AUTH-7] malformed: %s', async (_name, token) => {
    expect(await codeOf(verifierAt().verify(token))).toBe(4011);
  });

  test.each([
    '"text"',
    '[]',
    'null',
    '1',
    '{',
    '',
    '{"exp":1e999,"sub":"u1","lib":"lib1","url":"https://example.com"}',
  ])('signed, with claims that read %j', async (payload) => {
    expect(await codeOf(verifierAt().verify(await signText(payload)))).toBe(4011);
  });

  const missing = undefined;
  const long = 'x'.repeat(1025);
  test.each<[string, unknown[]]>([
    ['sub', [missing, null, '', 1, {}, ['u1'], true, long]],
    ['lib', [missing, null, '', 1, { id: 'lib1' }, ['lib1'], true, long]],
    ['url', [missing, null, '', 1, {}]],
    ['file', [null, '', 1, {}]],
    ['type', [null, '', 6, -1, 0.5, '6', '05', '5.0', '-1', ' 5', '0x1', 'Realtime', [0], {}, true]],
    ['role', [null, 1, {}, ['admin']]],
    ['exp', [missing, null, '', '9999999999', {}, true]],
    ['iat', [null, 'yesterday']],
    ['nbf', [null, 'tomorrow']],
  ])('[AUTH-2] [AUTH-3] a wrong claim %s', async (claim, values) => {
    for (const value of values) {
      const outcome = await codeOf(verifierAt().verify(await sign({ ...claims, [claim]: value })));
      expect([value, outcome]).toEqual([value, 4011]);
    }
  });

  test('it asks for an extension that must be understood', async () => {
    expect(
      await codeOf(verifierAt().verify(unsigned({ alg: 'HS256', crit: ['exp'], exp: 1 }, claims, 'AAAA'))),
    ).toBe(4011);
    expect(
      await codeOf(
        verifierAt().verify(unsigned({ alg: 'HS256', crit: ['b64'], b64: false }, claims, 'AAAA')),
      ),
    ).not.toBe('accepted');
  });

  test('[AUTH-7] it is longer than 8 KiB, which is told before any other work', async () => {
    const subtle = vi.spyOn(crypto.subtle, 'verify');
    const token = await sign({ ...claims, padding: 'x'.repeat(8192) });
    expect(await codeOf(verifierAt().verify(token))).toBe(4011);
    expect(subtle).not.toHaveBeenCalled();
  });
});

test('[AUTH-8] no token is NoToken (4010)', async () => {
  expect(await codeOf(verifierAt().verify(''))).toBe(4010);
  expect(await codeOf(verifierAt().verify(undefined))).toBe(4010);
});

test('[REFUSE-9] no error repeats the token', async () => {
  for (const token of [
    await sign(claims, { key: otherSecret }),
    await sign({ ...claims, exp: 1 }),
    unsigned({}, claims),
  ]) {
    const error = await verifierAt()
      .verify(token)
      .catch((reason: Error) => reason);
    expect((error as Error).message).not.toContain(token.split('.')[1]);
  }
});

test('no damage to a genuine token lets it pass', async () => {
  const token = await sign(claims);
  const verifier = verifierAt();
  // The last character carries bits that base64 ignores or refuses, so it is left out.
  for (let index = 0; index < token.length - 1; index++) {
    for (const character of ['A', '_', '.', '\u0000', '💚']) {
      const damaged = token.slice(0, index) + character + token.slice(index + 1);
      if (damaged !== token) expect([4011, 4012]).toContain(await codeOf(verifier.verify(damaged)));
    }
  }
});

describe('a token that was verified before', () => {
  test('costs no second look at its signature', async () => {
    const verifier = verifierAt();
    const token = await sign(claims);
    const first = await verifier.verify(token);
    const subtle = vi.spyOn(crypto.subtle, 'verify');
    expect(await verifier.verify(token)).toBe(first);
    expect(subtle).not.toHaveBeenCalled();
  });

  test('is refused all the same once it has ended', async () => {
    let time = now;
    const verifier = new TokenVerifier({ secret, now: () => time });
    const token = await sign(claims);
    await verifier.verify(token);
    time = now + 64_999;
    expect(await codeOf(verifier.verify(token))).toBe('accepted');
    time = now + 65_000;
    expect(await codeOf(verifier.verify(token))).toBe(4012);
  });

  test('cannot be changed by whoever holds it', async () => {
    const verified = await verifierAt().verify(await sign(claims));
    expect(() => Object.assign(verified, { userId: 'admin' })).toThrow(TypeError);
  });
});

test('keys are imported once, and not before the first token', async () => {
  const imports = vi.spyOn(crypto.subtle, 'importKey');
  const verifier = verifierAt(now, [secret, otherSecret]);
  expect(imports).not.toHaveBeenCalled();
  const tokens = await Promise.all(
    ['u1', 'u2', 'u3'].map((sub) =>
      new TokenProvider({ secret }).getToken({
        userId: sub,
        libraryId: 'lib1',
        syncEndpoint: claims.url,
        expiresIn: '52w',
      }),
    ),
  );
  await Promise.all(tokens.map((token) => codeOf(verifier.verify(token))));
  expect(imports).toHaveBeenCalledTimes(2);
});

test.each([undefined, '', 'short', []])('takes no missing or short secret: %j', (bad) => {
  expect(() => new TokenVerifier({ secret: bad })).toThrow(
    expect.objectContaining({ code: VerdantErrorCode.Configuration }),
  );
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('takes no tolerance of %d', (clockToleranceSeconds) => {
  expect(() => new TokenVerifier({ secret, clockToleranceSeconds })).toThrow(/clockToleranceSeconds/);
});
