import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { describe, expect, test } from 'vitest';
import { createHttpRouter } from './router.js';
import { asClient, fakeCore } from './testing/fake-core.js';

const mounted = (core = fakeCore().core, path = '/verdant') => new Hono().route(path, createHttpRouter(core));
const post = (body = '{"messages":[]}', headers: Record<string, string> = asClient) => ({
  method: 'POST',
  body,
  headers,
});

describe('sync', () => {
  test.each([
    ['/verdant', '/verdant'],
    ['/verdant', '/verdant/'],
    ['/', '/'],
    ['/:tenant/sync', '/acme/sync'],
    ['/:tenant/sync', '/acme/sync/'],
  ])('[HTTP-10] mounted at %s, is answered at %s', async (mount, path) => {
    const { core, requests } = fakeCore();
    const response = await mounted(core, mount).request(path, post());
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ messages: [] });
    expect(requests).toEqual(['{"messages":[]}']);
  });

  test('is answered in a router mounted in a mounted app', async () => {
    const api = new Hono().route('/sync', createHttpRouter(fakeCore().core));
    const app = new Hono().basePath('/v1').route('/api', api);
    expect((await app.request('/v1/api/sync/', post())).status).toBe(200);
    expect((await app.request('/v1/api/sync/files/f', { headers: asClient })).status).toBe(200);
  });

  test.each([
    ['no token', {}, 401, 4010],
    ['another scheme', { authorization: 'Basic Z29vZA==' }, 401, 4010],
    ['an expired token', { authorization: 'Bearer old' }, 401, 4012],
    ['no token of ours', { authorization: 'bearer x' }, 401, 4011],
  ])('[HTTP-3] with %s is refused in a form that the client can read', async (_, headers, status, code) => {
    const response = await mounted().request('/verdant', post('{}', headers as Record<string, string>));
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await response.json()).toEqual({ code, message: expect.any(String) });
  });

  test('[AUTH-10] a token in the query opens nothing', async () => {
    expect((await mounted().request('/verdant?token=good', post('{}', {}))).status).toBe(401);
  });

  test('[HTTP-5] a fault of the server is logged, and not told', async () => {
    const fault = new TypeError('password is hunter2');
    const { core, logged } = fakeCore({ request: () => Promise.reject(fault) });
    const response = await mounted(core).request('/verdant', post());
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 5000 });
    expect(text).not.toContain('hunter2');
    expect(logged).toContainEqual(['error', expect.any(String), expect.objectContaining({ err: fault })]);
  });

  test('something thrown that is no error is a fault of the server too', async () => {
    const { core } = fakeCore({ request: () => Promise.reject('a string') });
    expect((await mounted(core).request('/verdant', post())).status).toBe(500);
  });

  test('[HTTP-4] "not now" says when', async () => {
    const busy = (retryAfter?: number) =>
      fakeCore({
        request: () =>
          Promise.reject(
            new VerdantError(VerdantErrorCode.Busy, 'Later.', retryAfter === undefined ? {} : { retryAfter }),
          ),
      }).core;
    const response = await mounted(busy(0.2)).request('/verdant', post());
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    const unspecific = await mounted(busy()).request('/verdant', post());
    expect(Number(unspecific.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('files', () => {
  test.each([
    ['/verdant/files/abc', 'abc'],
    ['/verdant//files/abc', 'abc'],
    ['/verdant/files/abc/', 'abc'],
    ['/verdant/files/a%2Fb', 'a/b'],
    ['/verdant/files/a%252Fb', 'a%2Fb'],
    ['/verdant/files/%E2%98%80%20', '☀ '],
    ['/verdant/files/100%zz', '100%zz'],
    ['/verdant/files/..%2F..%2Fetc', '../../etc'],
  ])('%s asks for %j', async (path, id) => {
    const response = await mounted().request(path, { headers: asClient });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id, remote: true });
  });

  test('[FILE-2] an unknown one is 404', async () => {
    const response = await mounted().request('/verdant/files/unknown', { headers: asClient });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 4040 });
  });

  test('HEAD is answered as GET', async () => {
    expect(
      (await mounted().request('/verdant/files/abc', { method: 'HEAD', headers: asClient })).status,
    ).toBe(200);
  });
});

describe('cross-origin headers', () => {
  const expectCors = (response: Response) => {
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
    expect(response.headers.get('vary')).toContain('Origin');
  };

  test.each([
    ['a sync', '/verdant', post()],
    ['a refused sync', '/verdant', post('{}', { origin: 'https://app.example' })],
    ['a file', '/verdant/files/x', { headers: asClient }],
    ['an unknown file', '/verdant/files/unknown', { headers: asClient }],
    ['an unknown path', '/verdant/nonsense/x', { headers: asClient }],
    ['another method', '/verdant', { method: 'DELETE', headers: asClient }],
  ])('[HTTP-8] are on the answer to %s', async (_, path, init) => {
    const response = await mounted().request(path, init);
    expectCors(response);
    expect(await response.json()).toBeTypeOf('object');
  });

  test.each(['/verdant', '/verdant/', '/verdant/files/x', '/verdant//files/x', '/verdant/nonsense'])(
    '[HTTP-9] OPTIONS of %s is answered without a token',
    async (path) => {
      const response = await mounted().request(path, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://app.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization, x-trace-id, b@d name',
        },
      });
      expect(response.status).toBe(204);
      expectCors(response);
      expect(response.headers.get('access-control-allow-methods')).toContain('POST');
      expect(response.headers.get('access-control-allow-headers')).toBe(
        'authorization, Content-Type, x-trace-id',
      );
      expect(response.headers.get('access-control-max-age')).toBeTruthy();
    },
  );

  test('[HTTP-8] are not doubled by those of the app around, nor replaced by its wildcard', async () => {
    for (const around of [cors(), cors({ origin: 'https://app.example', credentials: true })]) {
      const app = new Hono().use(around).route('/verdant', createHttpRouter(fakeCore().core));
      expectCors(await app.request('/verdant', post()));
      expectCors(await app.request('/verdant', post('{}', { origin: 'https://app.example' })));
    }
  });

  test('[HTTP-14] are kept from origins that the app does not want', async () => {
    const router = createHttpRouter(fakeCore().core, {
      allowedOrigins: ['https://mine.example'],
    });
    const app = new Hono().route('/verdant', router);
    const preflight = { method: 'OPTIONS', headers: asClient };
    for (const request of [post(), post('{}', { ...asClient, authorization: 'Bearer expired' }), preflight]) {
      const response = await app.request('/verdant', request);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('are on errors and preflights, too, for origins that it does', async () => {
    const router = createHttpRouter(fakeCore().core, { allowedOrigins: [asClient.origin] });
    const app = new Hono().route('/verdant', router);
    const preflight = { method: 'OPTIONS', headers: asClient };
    for (const request of [post(), post('{}', { ...asClient, authorization: 'Bearer expired' }), preflight]) {
      expectCors(await app.request('/verdant', request));
    }
  });

  test('are set up at start: an origin that no browser sends is told', () => {
    expect(() => createHttpRouter(fakeCore().core, { allowedOrigins: ['https://mine.example/'] })).toThrow(
      expect.objectContaining({ code: 5010 }),
    );
  });
});

describe('beside other routes', () => {
  test('mounted at the root, leaves the routes of the app to the app', async () => {
    const app = new Hono()
      .route('/', createHttpRouter(fakeCore().core))
      .get('/auth/:id', (c) => c.text('auth'))
      .notFound((c) => c.text('not found by the app', 404));
    expect(await (await app.request('/auth/x')).text()).toBe('auth');
    expect(await (await app.request('/nowhere')).text()).toBe('not found by the app');
    expect((await app.request('/', post())).status).toBe(200);
  });

  test('leaves routes below its path to the app', async () => {
    const app = mounted().get('/verdant/status', (c) => c.text('fine'));
    expect(await (await app.request('/verdant/status')).text()).toBe('fine');
  });

  test('[HTTP-11] by itself, answers unknown paths as errors', async () => {
    const response = await createHttpRouter(fakeCore().core).request('/nowhere', { headers: asClient });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 4040 });
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
  });
});
