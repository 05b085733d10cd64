import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { type CredentialedCorsOptions, credentialedCors } from './cors.js';

const mine = 'https://app.example.com';
const app = new Hono()
  .use('/auth/*', credentialedCors({ allowedOrigins: [mine] }))
  .get('/auth/token', (c) => c.text('the token of whoever the cookies name'))
  .get('/auth/broken', () => new Response('no', { status: 500 }));

const ask = (path: string, origin: string, method = 'GET') =>
  app.request(path, { method, headers: { origin, cookie: 'session=1' } });

describe('a route that knows its users by their cookies', () => {
  test.each(['/auth/token', '/auth/broken'])('is read by pages of the app: %s', async (path) => {
    const { headers } = await ask(path, mine);
    expect(headers.get('access-control-allow-origin')).toBe(mine);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('vary')).toBe('Origin');
  });

  test.each(['GET', 'OPTIONS'])('is not read by other pages (%s)', async (method) => {
    const { headers } = await ask('/auth/token', 'https://evil.example', method);
    expect(headers.has('access-control-allow-origin')).toBe(false);
  });
});

test('without origins it does not start, and says why', () => {
  const forgotten = [undefined, {}] as unknown as CredentialedCorsOptions[];
  for (const options of forgotten) {
    expect(() => credentialedCors(options)).toThrow(
      expect.objectContaining({ code: 5010, message: expect.stringContaining('allowedOrigins') }),
    );
  }
});
