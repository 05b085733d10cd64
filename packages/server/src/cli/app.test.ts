import { createVerdant, type Verdant } from '@verdant-web/core';
import { memoryStorage } from '@verdant-web/core/memory';
import { LocalFileStorage } from '@verdant-web/files-local';
import { TokenProvider, TokenVerifier } from '@verdant-web/tokens';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeFolder, temporaryFolder } from '../testing/server-process.js';
import { createCliApp } from './app.js';
import { guestList } from './guest-list.js';

const secret = 'the-secret-of-a-test-0123456789abcdef';
const verifier = new TokenVerifier({ secret });
let folder: string;
let core: Verdant;
let app: ReturnType<typeof createCliApp>;
beforeAll(async () => {
  folder = await temporaryFolder();
  const fileStorage = new LocalFileStorage({ rootDirectory: folder, host: 'http://localhost:3242/files' });
  core = createVerdant({ storage: memoryStorage(), tokenSecret: secret, fileStorage });
  const guests = guestList({
    host: 'localhost',
    origins: ['http://page.example', 'http://example.test', 'https://tunnel.test'],
  });
  app = createCliApp({ core, tokens: new TokenProvider({ secret }), guests });
});
afterAll(async () => {
  await core.close();
  await removeFolder(folder);
});

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  app.request(path, {
    method,
    headers: { origin: 'http://page.example', host: 'localhost:3242', ...headers },
  });
const tokenOf = async (response: Response) =>
  verifier.verify(((await response.json()) as { accessToken: string }).accessToken);

describe('the auth route', () => {
  test('makes anyone who they say they are', async () => {
    const response = await ask('/auth/my%20lib%2F1?userId=user%20é');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { userId, libraryId, type, expiresAt } = await tokenOf(response);
    expect({ userId, libraryId, type }).toEqual({ userId: 'user é', libraryId: 'my lib/1', type: 0 });
    expect((expiresAt - Date.now()) / 3_600_000).toBeCloseTo(24, 1);
  });

  test('gives the type that is asked for', async () => {
    expect((await tokenOf(await ask('/auth/lib?userId=u&type=5'))).type).toBe(5);
  });

  test.each([
    [{ host: 'localhost:3242' }, 'http://localhost:3242/verdant'],
    [{ host: 'EXAMPLE.test' }, 'http://example.test/verdant'],
    [{ host: '[::1]:80' }, 'http://[::1]/verdant'],
    [{ host: 'tunnel.test', 'x-forwarded-proto': 'https' }, 'https://tunnel.test/verdant'],
  ])('names the endpoint as the client reaches it: %j', async (headers, endpoint) => {
    const response = await ask('/auth/lib?userId=u', headers as Record<string, string>);
    expect((await tokenOf(response)).syncEndpoint).toBe(endpoint);
  });

  test.each([
    ['/auth/lib', {}],
    ['/auth/lib?userId=', {}],
    ['/auth/lib?userId=u&type=6', {}],
    ['/auth/lib?userId=u&type=x', {}],
    [`/auth/${'x'.repeat(2_000)}?userId=u`, {}],
  ])('refuses %.40s %j', async (path, headers) => {
    const response = await ask(path, headers as Record<string, string>);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 4000, message: expect.any(String) });
  });
});

describe('a page that is not welcome', () => {
  test('is let read nothing', async () => {
    const response = await ask('/auth/lib?userId=u', { origin: 'https://evil.test' });
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });

  test.each(['evil.test', 'evil.test:3242', 'user@evil.test', 'evil.test/path', 'evil.test:99999'])(
    'gets nothing under a name of its own: %s',
    async (host) => {
      for (const path of ['/auth/lib?userId=u', '/verdant', '/files/x', '/']) {
        const response = await ask(path, { host });
        expect(response.status).toBe(403);
        expect(await response.json()).toMatchObject({
          code: 4030,
          message: expect.stringContaining('--origin'),
        });
      }
    },
  );
});

test('uploaded files are served, and what a browser would run is downloaded', async () => {
  const token = ((await (await ask('/auth/lib?userId=u')).json()) as { accessToken: string }).accessToken;
  const body = new FormData();
  body.append('file', new File(['<script>'], 'a.html', { type: 'text/html' }));
  const headers = { authorization: `Bearer ${token}` };
  await app.request('/verdant/files/f1', { method: 'POST', headers, body });
  const info = await app.request('/verdant/files/f1', { headers });
  const { url } = (await info.json()) as { url: string };
  const response = await ask(new URL(url).pathname);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/html');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(response.headers.get('content-disposition')).toBe('attachment; filename="a.html"');
  expect(await response.text()).toBe('<script>');
});

test.each([
  ['/verdant', 'POST', 401],
  ['/verdant/files/x', 'GET', 401],
  ['/verdant/nothing', 'GET', 404],
  ['/auth/lib?userId=u', 'GET', 200],
  ['/auth/lib', 'GET', 400],
  ['/files/none', 'GET', 404],
  ['/files/../../etc/passwd', 'GET', 404],
  ['/files/..%2f..%2fetc/passwd', 'GET', 404],
  ['/', 'GET', 200],
  ['/nothing', 'GET', 404],
  ['/verdant', 'OPTIONS', 204],
  ['/auth/lib', 'OPTIONS', 204],
  ['/files/x', 'OPTIONS', 204],
])('%s (%s) answers %d with cross-origin headers', async (path, method, status) => {
  const response = await ask(path, {}, method);
  expect(response.status).toBe(status);
  expect(response.headers.get('access-control-allow-origin')).toBe('http://page.example');
  expect(response.headers.get('access-control-allow-credentials')).toBe('true');
  if (status >= 400) expect(await response.json()).toMatchObject({ code: expect.any(Number) });
});
