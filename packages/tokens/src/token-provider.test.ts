import { ReplicaType, VerdantErrorCode } from '@verdant-web/protocol';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { TokenProvider, type TokenRequest } from './token-provider.js';

const secret = 'a-secret-of-more-than-thirty-two-bytes!';
const bytes = (text: string) => new TextEncoder().encode(text);
const request: TokenRequest = {
  userId: 'u1',
  libraryId: 'lib1',
  syncEndpoint: 'http://127.0.0.1:3000/verdant',
};
const tokenFor = (changes: Partial<TokenRequest> = {}) =>
  new TokenProvider({ secret }).getToken({ ...request, ...changes });

describe('TokenProvider', () => {
  test('jose verifies what it signs', async () => {
    const { payload, protectedHeader } = await jwtVerify(tokenFor(), bytes(secret), {
      algorithms: ['HS256'],
    });
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(payload).toEqual({
      sub: 'u1',
      lib: 'lib1',
      url: 'http://127.0.0.1:3000/verdant',
      type: 0,
      iat: expect.any(Number),
      exp: Math.floor(payload.iat!) + 86_400,
    });
  });

  test('carries the optional claims', () => {
    const token = tokenFor({
      fileEndpoint: 'https://files.example.com/f',
      role: 'editor',
      type: ReplicaType.ReadOnlyRealtime,
      expiresIn: '15m',
    });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ file: 'https://files.example.com/f', role: 'editor', type: 5 });
    expect(claims.exp! - Math.floor(claims.iat!)).toBe(900);
  });

  test('jose verifies secrets and claims of every length around the block sizes of the hash', async () => {
    for (let length = 16; length < 140; length++) {
      const key = 'k'.repeat(length);
      const userId = 'ü'.repeat(length);
      const token = new TokenProvider({ secret: key, log: () => {} }).getToken({ ...request, userId });
      const { payload } = await jwtVerify(token, bytes(key), { algorithms: ['HS256'] });
      expect(payload.sub).toBe(userId);
    }
  });

  test('jose verifies whatever characters ids have', async () => {
    for (const id of ['a/b', '"quoted"', '\u0000', '💚', '\ud800', 'é', '../..', '<script>']) {
      const { payload } = await jwtVerify(tokenFor({ userId: id, libraryId: id }), bytes(secret));
      expect(payload).toMatchObject({ sub: id, lib: id });
    }
  });

  test('writes a token of three URL-safe parts', () => {
    expect(tokenFor({ libraryId: '??>>~~ÿÿ' })).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{43}$/);
    expect(decodeProtectedHeader(tokenFor())).toEqual({ alg: 'HS256', typ: 'JWT' });
  });

  test.each<[string, Partial<Record<keyof TokenRequest, unknown>>]>([
    ['userId', { userId: '' }],
    ['userId', { userId: undefined }],
    ['userId', { userId: 42 }],
    ['userId', { userId: 'u'.repeat(1025) }],
    ['libraryId', { libraryId: '' }],
    ['libraryId', { libraryId: { id: 'lib1' } }],
    ['libraryId', { libraryId: 'l'.repeat(1025) }],
    ['syncEndpoint', { syncEndpoint: undefined }],
    ['syncEndpoint', { syncEndpoint: '/verdant' }],
    ['syncEndpoint', { syncEndpoint: 'localhost:3000/verdant' }],
    ['syncEndpoint', { syncEndpoint: 'http:example.com' }],
    ['syncEndpoint', { syncEndpoint: 'ws://example.com' }],
    ['syncEndpoint', { syncEndpoint: 'http://localhost:undefined/verdant' }],
    ['fileEndpoint', { fileEndpoint: 'files' }],
    ['role', { role: 7 }],
    ['type', { type: 6 }],
    ['type', { type: '5' }],
    ['expiresIn', { expiresIn: 'soon' }],
  ])('refuses a wrong %s and names it: %j', (name, changes) => {
    expect(() => tokenFor(changes as Partial<TokenRequest>)).toThrow(new RegExp(`^${name} must be`));
  });

  test('refuses to make a token that no verifier would read', () => {
    expect(() => tokenFor({ role: 'r'.repeat(8000) })).toThrow(/over the limit of 8192/);
  });

  test('takes no missing or short secret', () => {
    expect(() => new TokenProvider({ secret: process.env.SURELY_NOT_SET })).toThrow(
      expect.objectContaining({ code: VerdantErrorCode.Configuration }),
    );
    expect(() => new TokenProvider({ secret: 'short' })).toThrow(/too short/);
  });

  test('warns once of a weak secret, not with each token', () => {
    const log = vi.fn();
    const provider = new TokenProvider({ secret: 'twenty-bytes-or-so-xx', log });
    provider.getToken(request);
    provider.getToken(request);
    expect(log).toHaveBeenCalledOnce();
  });

  test('warns on the console by default', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    new TokenProvider({ secret: 'twenty-bytes-or-so-xx' });
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('shorter than 32 bytes'));
    warn.mockRestore();
  });
});
