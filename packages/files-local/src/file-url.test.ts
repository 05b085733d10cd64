import { type LibraryId, VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test, vi } from 'vitest';
import { fileUrl, readFileUrl } from './file-url.js';
import { type SignedUrlOptions, UrlSigner } from './url-signature.js';

const HOST = 'https://example.com/files';
const fileOf = (libraryId: string, id: string, name: string) => ({
  libraryId: libraryId as LibraryId,
  id,
  name,
});
const below = (url: string) => url.slice(HOST.length);

describe('a URL', () => {
  test('is the path on disk, where that shows everything', () => {
    expect(fileUrl(HOST, fileOf('lib', 'f1', 'a.png'), null)).toBe(`${HOST}/lib/f1/a.png`);
  });

  test('says in its query what the path does not show', () => {
    expect(fileUrl(HOST, fileOf('Team A', 'f1', 'a.png'), null)).toMatch(
      /\/_team_a-[0-9a-f]{32}\/f1\/a\.png\?library=Team\+A$/,
    );
    expect(fileUrl(HOST, fileOf('lib', 'f1', 'Große Katze.PNG'), null)).toMatch(
      /\/lib\/f1\/_gro_e_katze-[0-9a-f]{32}\.png\?name=Gro%C3%9Fe\+Katze\.PNG$/,
    );
  });

  test.each([
    ['lib', 'f1', 'a.png'],
    ['Lib 1', 'F/1', '../../Ünï?#&=.PNG'],
    ['..', '..', ''],
    ['__proto__', 'con', 'a'.repeat(1_024)],
    ['你好', '你'.repeat(100), '好'.repeat(900)],
  ])('of %j, %j, %j stands for the file that it was made of', (libraryId, id, name) => {
    const file = fileOf(libraryId, id, name);
    expect(readFileUrl(below(fileUrl(HOST, file, null)), null)).toEqual({ ...file, expiresAt: null });
  });

  test('is never longer than servers take', () => {
    const url = fileUrl(HOST, fileOf('你'.repeat(5_000), '好'.repeat(5_000), 'x'), null);
    expect(url.length).toBeLessThan(13_000);
  });

  test.each([
    '',
    '/',
    '/lib/f1',
    '/lib/f1/a.png/b',
    '/.tmp/f1',
    '/lib/f1/..',
    '/lib/../a.png',
    '/lib/F1/a.png',
    '/lib/f1/a%2epng',
    '/lib/f1/a.png?library=other',
    '/lib/f1/a.png?name=..%2F..%2Fetc%2Fpasswd',
    '/_team_a-00000000000000000000000000000000/f1/a.png?library=Team+A',
  ])('%j stands for nothing', (path) => {
    expect(readFileUrl(path, null)).toBeNull();
  });
});

describe('a signed URL', () => {
  const secret = 'a secret of the tests';
  const signer = (options: Partial<SignedUrlOptions> = {}) =>
    new UrlSigner({ secret, expiresInSeconds: 60, ...options });
  const file = fileOf('Lib', 'f1', 'a.png');
  const refused = (sentence: RegExp) =>
    expect.objectContaining({ code: VerdantErrorCode.Forbidden, message: expect.stringMatching(sentence) });
  const signed = () => below(fileUrl(HOST, file, signer()));

  test('stands for its file, and says until when', () => {
    const location = readFileUrl(signed(), signer());
    expect(location).toMatchObject(file);
    expect(location?.expiresAt).toBeGreaterThan(Date.now() + 50_000);
    expect(location?.expiresAt).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  test.each([
    ['without a signature', (url: string) => url.replace(/&signature=[^&]*/, '')],
    ['without a query', (url: string) => url.replace(/\?.*/, '?library=Lib')],
    ['with another signature', (url: string) => url.replace(/signature=./, 'signature=_')],
    ['with a shorter one', (url: string) => url.slice(0, -4)],
    ['with a later time', (url: string) => url.replace(/expires=\d/, 'expires=9')],
    ['of another file', (url: string) => url.replace('/f1/', '/f2/')],
    ['of another library', (url: string) => url.replace(/^\/[^/]*/, '/other').replace('library=Lib&', '')],
  ])('%s is refused', (_, change) => {
    const changed = change(signed());
    expect(changed).not.toBe(signed());
    expect(() => readFileUrl(changed, signer())).toThrow(refused(/not complete, or was changed/));
  });

  test('whose time is over is refused', () => {
    const url = signed();
    vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] });
    try {
      expect(() => readFileUrl(url, signer())).toThrow(refused(/expired/));
    } finally {
      vi.useRealTimers();
    }
  });

  test('is good as long as one of the secrets made it', () => {
    const rotated = signer({ secret: ['another secret here', secret] });
    expect(readFileUrl(signed(), rotated)).toMatchObject(file);
    expect(() => readFileUrl(signed(), signer({ secret: 'another secret here' }))).toThrow(
      refused(/changed/),
    );
    expect(() => readFileUrl(below(fileUrl(HOST, file, rotated)), signer())).toThrow(refused(/changed/));
  });

  test.each([
    [{ secret: undefined }, /secret is missing/],
    [{ secret: [] }, /secret is missing/],
    [{ secret: 'short' }, /16 bytes/],
    [{ secret: [secret, 'short'] }, /16 bytes/],
    [{ expiresInSeconds: 0 }, /expiresInSeconds/],
    [{ expiresInSeconds: 1.5 }, /expiresInSeconds/],
    [{ expiresInSeconds: '1h' as unknown as number }, /expiresInSeconds/],
  ])('%j is refused at start', (options, message) => {
    expect(() => signer(options)).toThrow(
      expect.objectContaining({
        code: VerdantErrorCode.Configuration,
        message: expect.stringMatching(message),
      }),
    );
  });
});
