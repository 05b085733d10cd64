import { describe, expect, test } from 'vitest';
import { undisturbed } from './bystanders.js';
import { set, stamp } from './messages.js';
import { Peer, readBody } from './peer.js';
import { RawSocket } from './raw-socket.js';
import { sharedCli } from './servers.js';
import { fresh, seconds, tokenFor } from './tokens.js';

/* HTTP requests of every broken kind, and what a browser may read of the answers. */
const server = sharedCli();
const ORIGIN = 'https://app.example.test';

const errorObject = { code: expect.any(Number) as number, message: expect.any(String) as string };

interface Ask {
  path?: string;
  method?: string;
  body?: BodyInit;
  headers?: Record<string, string>;
}

async function ask({ path = '/verdant', method = 'POST', body, headers = {} }: Ask) {
  const response = await fetch(`${server.base}${path}`, {
    method,
    headers: { Authorization: `Bearer ${tokenFor(server.base, fresh(), 'ann')}`, Origin: ORIGIN, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, headers: response.headers, body: await readBody(response) };
}

const json = { 'Content-Type': 'application/json' };
const ahead = () => stamp(Date.now() + 3_600_000);
const form = (fields: Record<string, string | Blob>) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') data.set(name, value);
    else data.set(name, value, 'a.txt');
  }
  return data;
};

/** What is asked, the status, the code. */
const refused: Record<string, [() => Ask, number, number]> = {
  'no body': [() => ({ headers: json }), 400, 4001],
  'an empty body': [() => ({ headers: json, body: '' }), 400, 4001],
  'a body that is no JSON': [() => ({ headers: json, body: 'nonsense' }), 400, 4000],
  'a body of NUL': [() => ({ headers: json, body: '\0' }), 400, 4000],
  'a body of invalid UTF-8': [() => ({ headers: json, body: new Uint8Array([0x7b, 0xff, 0xfe]) }), 400, 4000],
  null: [() => ({ headers: json, body: 'null' }), 400, 4000],
  'a list': [() => ({ headers: json, body: '[]' }), 400, 4000],
  'an object without messages': [() => ({ headers: json, body: '{}' }), 400, 4000],
  'messages that are an object': [() => ({ headers: json, body: '{"messages":{"length":1}}' }), 400, 4000],
  'messages that are null': [() => ({ headers: json, body: '{"messages":[null]}' }), 400, 4000],
  'messages without type': [() => ({ headers: json, body: '{"messages":[{}]}' }), 400, 4000],
  'a form': [() => ({ body: form({ messages: '[]' }) }), 400, 4000],
  'another path': [() => ({ path: '/verdant/nothing', body: '{}' }), 404, 4040],
  'another method': [() => ({ method: 'PUT', body: '{}' }), 404, 4040],
  'to delete': [() => ({ method: 'DELETE' }), 404, 4040],
  'an expired token': [
    () => ({
      headers: { Authorization: `Bearer ${tokenFor(server.base, 'x', 'x', { exp: seconds() - 99 })}` },
    }),
    401,
    4012,
  ],
  'nonsense as token': [() => ({ headers: { Authorization: 'Bearer nonsense' } }), 401, 4011],
  'no token': [() => ({ headers: { Authorization: '' } }), 401, 4010],
  'an op of a replica that never synced': [
    () => ({
      headers: json,
      body: JSON.stringify({
        messages: [{ type: 'op', replicaId: 'x', timestamp: stamp(), operations: [set('items/1', 'x', 1)] }],
      }),
    }),
    503,
    5030,
  ],
  'a sync from a clock that is ahead': [
    () => ({
      headers: json,
      body: JSON.stringify({
        messages: [
          {
            type: 'sync',
            replicaId: 'x',
            timestamp: stamp(),
            operations: [{ ...set('items/1', 'x', 1), timestamp: ahead() }],
            baselines: [],
            schemaVersion: 1,
            since: null,
          },
        ],
      }),
    }),
    503,
    5031,
  ],
  'a file that is unknown': [() => ({ path: '/verdant/files/unknown', method: 'GET' }), 404, 4040],
  'an upload without token': [
    () => ({
      path: '/verdant/files/x',
      body: form({ file: new Blob(['x']) }),
      headers: { Authorization: '' },
    }),
    401,
    4010,
  ],
  'an upload without body': [() => ({ path: '/verdant/files/x' }), 400, 4000],
  'an upload that is JSON': [() => ({ path: '/verdant/files/x', headers: json, body: '{}' }), 400, 4000],
  'an upload without the field': [
    () => ({ path: '/verdant/files/x', body: form({ other: new Blob(['x']) }) }),
    400,
    4000,
  ],
  'an upload whose field is text': [
    () => ({ path: '/verdant/files/x', body: form({ file: 'text' }) }),
    400,
    4000,
  ],
  'an upload without boundary': [
    () => ({ path: '/verdant/files/x', headers: { 'Content-Type': 'multipart/form-data' }, body: 'x' }),
    400,
    4000,
  ],
  'an upload that is cut off': [
    () => ({
      path: '/verdant/files/x',
      headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      body: '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of it',
    }),
    400,
    4000,
  ],
  'an upload of a read-only token': [
    () => ({
      path: '/verdant/files/x',
      body: form({ file: new Blob(['x']) }),
      headers: { Authorization: `Bearer ${tokenFor(server.base, fresh(), 'ann', { type: 4 })}` },
    }),
    403,
    4030,
  ],
};

test.each(Object.keys(refused))(
  '[HTTP-2] [HTTP-3] [HTTP-4] [HTTP-8] [HTTP-11] [FILE-6] a request with (or for) %s is refused with an error object that the page may read',
  async (name) => {
    const [make, status, code] = refused[name]!;
    const answer = await ask(make());
    expect({ status: answer.status, body: answer.body }).toEqual({ status, body: { ...errorObject, code } });
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('content-type')).toContain('application/json');
    if (status === 503) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  },
);

describe('CORS', () => {
  test.each(['/verdant', '/verdant/', '/verdant/files/x', '/verdant//files/x', '/auth/library'])(
    '[HTTP-9] a preflight of %s needs no token and allows what the client sends',
    async (path) => {
      const response = await fetch(`${server.base}${path}`, {
        method: 'OPTIONS',
        headers: {
          Origin: ORIGIN,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'authorization, content-type',
        },
      });
      expect(response.ok).toBe(true);
      expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(response.headers.get('access-control-allow-credentials')).toBe('true');
      const allowed = response.headers.get('access-control-allow-headers')!.toLowerCase();
      expect(allowed).toContain('authorization');
      expect(allowed).toContain('content-type');
      expect(response.headers.get('access-control-allow-methods')).toContain('POST');
    },
  );

  test('[HTTP-8] is on answers that succeed, too, and never a wildcard', async () => {
    for (const asked of [
      await ask({ headers: json, body: '{"messages":[]}' }),
      await ask({ path: '/auth/library?userId=ann', method: 'GET' }),
    ]) {
      expect(asked.status).toBe(200);
      expect(asked.headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(asked.headers.get('access-control-allow-credentials')).toBe('true');
    }
  });
});

test('[HTTP-12] a request that is aborted in the middle of its body stores nothing and disturbs nobody', () =>
  undisturbed(server, async (library) => {
    const ann = new Peer(server, library, fresh('ann'));
    await ann.poll();
    const body = JSON.stringify({
      messages: [{ ...ann.syncMessage({ operations: [set('items/1', 'half', true)] }), replicaId: ann.id }],
    });
    for (const abort of ['end', 'reset'] as const) {
      for (const chunked of [true, false]) {
        const raw = await RawSocket.open(server.port);
        const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
        const part = body.slice(0, -20);
        raw.write(
          `POST /verdant HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ann.token}\r\n${length}\r\n\r\n`,
        );
        raw.write(chunked ? `${part.length.toString(16)}\r\n${part}\r\n` : part);
        if (abort === 'end') raw.socket.end();
        else raw.socket.resetAndDestroy();
      }
    }
    const raw = await RawSocket.open(server.port);
    raw.write(
      `POST /verdant HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ann.token}\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nnonsense\r\n`,
    );
    await expect.poll(() => raw.text.startsWith('HTTP/1.1 400') || raw.ended).toBe(true);
    expect(JSON.stringify(await ann.poll())).not.toContain('"half"');
  }));

test('[FILE-6] an upload that is aborted leaves no file', () =>
  undisturbed(server, async (library) => {
    const token = tokenFor(server.base, library, 'ann');
    const raw = await RawSocket.open(server.port);
    raw.write(
      `POST /verdant/files/aborted HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n`,
    );
    raw.write('--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of it');
    raw.socket.resetAndDestroy();
    const answer = await fetch(`${server.base}/verdant/files/aborted`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(404);
  }));

test('[REFUSE-3] paths that are no URLs are answered, and end nothing', () =>
  undisturbed(server, async () => {
    for (const path of [
      '/verdant/files/%',
      '/verdant/files/%E0%A4%A',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/files/../../x',
      '//',
      '/verdant/files/%00',
      '*',
      'http://[',
      '/files/%2e%2e%2f%2e%2e%2fverdant.sqlite',
      '/files/..%5c..%5cverdant.sqlite',
    ]) {
      const raw = await RawSocket.open(server.port);
      raw.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      const { status, body } = await raw.answer();
      expect(status, path).toBeGreaterThanOrEqual(400);
      expect(status, path).toBeLessThan(500);
      expect(body, path).not.toContain('SQLite format');
      raw.destroy();
    }
    for (const host of ['', '[', 'a b', '%', '<script>', 'x'.repeat(5_000)]) {
      const raw = await RawSocket.open(server.port);
      raw.write(`GET /auth/library?userId=ann HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      const { status, body } = await raw.answer();
      expect(status, host).toBeLessThan(500);
      expect(body, host).not.toContain('<script>');
      raw.destroy();
    }
  }));

test('the auth route refuses what it can make no token of', async () => {
  for (const path of [
    '/auth/library',
    '/auth/library?userId=',
    '/auth/library?userId=a&type=9',
    '/auth/library?userId=a&type=x',
  ]) {
    const answer = await ask({ path, method: 'GET' });
    expect({ path, status: answer.status, body: answer.body }).toEqual({
      path,
      status: 400,
      body: { ...errorObject, code: 4000 },
    });
  }
});

test('[HTTP-4] no answer of all these is ever 429', async () => {
  const library = fresh();
  const token = tokenFor(server.base, library, 'ann');
  const statuses = await Promise.all(
    Array.from({ length: 300 }, async (_, index) => {
      const response = await fetch(`${server.base}/verdant`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${index % 3 ? token : 'nonsense'}` },
        body: index % 2 ? '{"messages":[]}' : 'nonsense',
      });
      await response.arrayBuffer();
      return response.status;
    }),
  );
  expect([...new Set(statuses)].sort()).toEqual([200, 400, 401]);
});
