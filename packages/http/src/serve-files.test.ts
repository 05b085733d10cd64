import type { OpenedFile, Verdant } from '@verdant-web/core';
import { type LibraryId, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { type ServeFilesOptions, serveFiles } from './serve-files.js';
import { fakeCore } from './testing/fake-core.js';

const MODIFIED = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const LAST_MODIFIED = 'Fri, 02 Jan 2026 03:04:05 GMT';

/** An app whose only file is `0123456789`. `open` tells how many were opened and not let go of. */
const appWith = (changes: Partial<OpenedFile> = {}, options?: ServeFilesOptions) => {
  const content = '0123456789';
  const asked: string[] = [];
  let open = 0;
  const release = () => {
    open--;
  };
  const opened: OpenedFile = {
    id: 'f1',
    libraryId: 'lib' as LibraryId,
    name: 'a.png',
    type: 'image/png',
    size: content.length,
    modifiedAt: MODIFIED,
    version: 'v1',
    expiresAt: null,
    read: ({ from, to } = { from: 0, to: content.length - 1 }) =>
      new ReadableStream<Uint8Array>(
        {
          pull: (controller) => {
            controller.enqueue(new TextEncoder().encode(content.slice(from, to + 1)));
            controller.close();
            release();
          },
          cancel: release,
        },
        { highWaterMark: 0 },
      ),
    close: async () => release(),
    ...changes,
  };
  const files = {
    open: async (path: string) => {
      asked.push(path);
      if (path.startsWith('/none'))
        throw new VerdantError(VerdantErrorCode.NotFound, 'There is no such file.');
      if (path.startsWith('/bug')) throw new Error('secret');
      open++;
      return opened;
    },
  } as Verdant['files'];
  const { core } = fakeCore({ files });
  const app = new Hono().route('/a/files', serveFiles(core, options));
  return {
    asked,
    get open() {
      return open;
    },
    get: (headers: Record<string, string> = {}, method = 'GET', path = '/a/files/lib/f1/a.png') =>
      app.request(path, { method, headers }),
  };
};

describe('a file', () => {
  test('is served whole, with what is known of it', async () => {
    const app = appWith();
    const response = await app.get();
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': '10',
      'content-disposition': 'inline; filename="a.png"',
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      etag: '"v1"',
      'last-modified': LAST_MODIFIED,
      'cache-control': 'private, max-age=86400',
    });
    expect(await response.text()).toBe('0123456789');
    expect(app.open).toBe(0);
  });

  test('is asked for by what is behind the path of the router, with the query', async () => {
    const app = appWith();
    await app.get({}, 'GET', '/a/files/lib/f%201/a.png?expires=1&signature=x%2By');
    await app.get({}, 'GET', '/a/files//lib/f1/a.png');
    expect(app.asked).toEqual(['/lib/f%201/a.png?expires=1&signature=x%2By', '/lib/f1/a.png']);
  });

  test('can be read by the scripts of other origins', async () => {
    const origin = 'https://app.example';
    expect((await appWith().get({ origin })).headers.get('access-control-allow-origin')).toBe(origin);
    const preflight = await appWith().get({ origin, 'access-control-request-headers': 'range' }, 'OPTIONS');
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('range');
    const strict = appWith({}, { allowedOrigins: ['https://other.example'] });
    expect((await strict.get({ origin })).headers.has('access-control-allow-origin')).toBe(false);
  });

  test('is described to HEAD, and let go of', async () => {
    const app = appWith();
    const response = await app.get({ range: 'bytes=0-1' }, 'HEAD');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('10');
    expect(await response.text()).toBe('');
    expect(app.open).toBe(0);
  });

  test('that is empty is served', async () => {
    const app = appWith({ size: 0, read: () => new Response('').body! });
    const response = await app.get();
    expect(response.headers.get('content-length')).toBe('0');
    expect(await response.text()).toBe('');
  });

  test('is let go of when the reader leaves', async () => {
    const app = appWith();
    const response = await app.get();
    expect(app.open).toBe(1);
    await response.body!.cancel();
    expect(app.open).toBe(0);
  });
});

describe('a range', () => {
  test.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=8-', '89', 'bytes 8-9/10'],
    ['bytes=-1', '9', 'bytes 9-9/10'],
  ])('%s is served', async (range, text, contentRange) => {
    const response = await appWith().get({ range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(contentRange);
    expect(response.headers.get('content-length')).toBe(String(text.length));
    expect(await response.text()).toBe(text);
  });

  test('that is not there is 416', async () => {
    const app = appWith();
    const response = await app.get({ range: 'bytes=10-' });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */10');
    expect(app.open).toBe(0);
  });

  test.each([
    ['"v1"', 206],
    [LAST_MODIFIED, 206],
    ['"v0"', 200],
    ['W/"v1"', 200],
    ['Thu, 01 Jan 2026 00:00:00 GMT', 200],
  ])('of the bytes that are %s', async (ifRange, status) => {
    expect((await appWith().get({ range: 'bytes=0-1', 'if-range': ifRange })).status).toBe(status);
  });
});

describe('a file that the browser has', () => {
  test.each([
    [{ 'if-none-match': '"v1"' }, 304],
    [{ 'if-none-match': '"v0", W/"v1"' }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"v0"' }, 200],
    // The tag counts, where there is one.
    [{ 'if-none-match': '"v0"', 'if-modified-since': LAST_MODIFIED }, 200],
    [{ 'if-modified-since': LAST_MODIFIED }, 304],
    [{ 'if-modified-since': 'Fri, 02 Jan 2026 03:04:04 GMT' }, 200],
    [{ 'if-modified-since': 'some day' }, 200],
  ])('%j is %i', async (headers, status) => {
    const app = appWith();
    const response = await app.get(headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('etag')).toBe('"v1"');
    await response.body?.cancel();
    expect(app.open).toBe(0);
  });

  test('may be kept as long as the app says, and not longer than its URL works', async () => {
    const maxAgeOf = async (app: ReturnType<typeof appWith>) =>
      Number((await app.get()).headers.get('cache-control')?.replace('private, max-age=', ''));
    expect(await maxAgeOf(appWith({}, { maxAgeSeconds: 60 }))).toBe(60);
    const left = await maxAgeOf(appWith({ expiresAt: Date.now() + 100_000 }));
    expect(left).toBeLessThanOrEqual(100);
    expect(left).toBeGreaterThan(50);
  });
});

describe('refused, as JSON that nobody keeps', () => {
  test.each([
    ['what is not there', 'GET', '/a/files/none', 404, 4040],
    ['another method', 'POST', '/a/files/lib/f1/a.png', 404, 4040],
    ['a fault, without its particulars', 'GET', '/a/files/bug', 500, 5000],
  ])('%s', async (_, method, path, status, code) => {
    const response = await appWith().get({ origin: 'https://app.example' }, method, path);
    expect(response.status).toBe(status);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code });
    expect(text).not.toContain('secret');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
  });

  test('a file storage that cannot give bytes back, at start', () => {
    const { core } = fakeCore({ files: { open: null } as unknown as Verdant['files'] });
    expect(() => serveFiles(core)).toThrow(/LocalFileStorage/);
  });
});
