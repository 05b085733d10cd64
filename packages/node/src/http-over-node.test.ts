import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { createVerdant, type FileStorage } from '@verdant-web/core';
import { memoryStorage } from '@verdant-web/core/memory';
import { createHttpRouter, type HttpRouterOptions } from '@verdant-web/http';
import { TokenProvider } from '@verdant-web/tokens';
import { Hono } from 'hono';
import { describe, expect, test, vi } from 'vitest';
import { openRaw, startServer } from './testing/sockets.js';

const secret = 'the-secret-of-a-test-0123456789abcdef';
const eventually = (condition: () => unknown) => expect.poll(condition, { timeout: 5_000, interval: 5 });

/** The real router and core behind a real server; `answer` replaces what the core makes of a sync request. */
const start = async (
  parts: { answer?: () => Promise<AsyncIterable<string>>; router?: HttpRouterOptions } = {},
) => {
  const stored: { name: string; bytes: number }[] = [];
  const fileStorage: FileStorage = {
    put: async ({ name }, body) => {
      let bytes = 0;
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.length;
      stored.push({ name, bytes });
    },
    getUrl: () => 'http://files.example/x',
    delete: async () => {},
  };
  const limits = { maxMessageBytes: 100_000, maxFileBytes: 1_000_000 };
  const core = createVerdant({ storage: memoryStorage(), tokenSecret: secret, fileStorage, limits });
  const used = parts.answer ? { ...core, request: parts.answer } : core;
  const app = new Hono().route('/verdant', createHttpRouter(used, parts.router));
  const { port } = await startServer(createAdaptorServer({ fetch: app.fetch }) as Server);
  const syncEndpoint = `http://127.0.0.1:${port}/verdant`;
  const token = new TokenProvider({ secret }).getToken({ userId: 'u', libraryId: 'lib', syncEndpoint });
  const authorization = `Bearer ${token}`;
  const post = (body: string) => fetch(syncEndpoint, { method: 'POST', body, headers: { authorization } });
  const lines = (path: string, ...headers: string[]) =>
    [`POST ${path} HTTP/1.1`, 'Host: x', `Authorization: ${authorization}`, ...headers] as const;
  return { port, post, lines, stored, syncEndpoint, authorization };
};

describe('a sync answer', () => {
  test('that is long arrives whole', async () => {
    async function* long() {
      for (let i = 0; i < 500; i++) yield 'x'.repeat(20_000);
    }
    const { post } = await start({ answer: async () => long() });
    expect((await (await post('{}')).text()).length).toBe(10_000_000);
  });

  test('[HTTP-6] whose making takes long sends its head before', async () => {
    let answer: (pieces: AsyncIterable<string>) => void = () => {};
    const slow = () =>
      new Promise<AsyncIterable<string>>((resolve) => {
        answer = resolve;
      });
    const { post } = await start({ answer: slow, router: { headWithinMs: 20 } });
    const response = await post('{}');
    expect(response.status).toBe(200);
    answer(
      (async function* () {
        yield '{"messages":[]}';
      })(),
    );
    expect(await response.json()).toEqual({ messages: [] });
  });

  test('[HTTP-7] that fails after its head has left breaks the connection off, so that no half of it is taken for all', async () => {
    const noise = vi.spyOn(console, 'error').mockImplementation(() => {});
    let fail: () => void = () => {};
    const gate = new Promise<void>((_, reject) => {
      fail = () => reject(new Error('disk full'));
    });
    gate.catch(() => {});
    async function* failing() {
      yield '{"messages":[]}';
      await gate;
    }
    const { port, lines } = await start({ answer: async () => failing(), router: { headWithinMs: 20 } });
    const raw = openRaw(port, ...lines('/verdant', 'Content-Length: 2'));
    raw.socket.write('{}');
    await eventually(() => raw.text).toContain('200 OK');
    fail();
    await eventually(() => raw.ended).toBe(true);
    // The end of a chunked body is a chunk of length 0.
    expect(raw.text).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(raw.text).not.toContain('disk full');
    noise.mockRestore();
  });

  test('whose reader leaves is made no further', async () => {
    const ended = vi.fn();
    async function* endless() {
      try {
        for (;;) yield 'x'.repeat(50_000);
      } finally {
        ended();
      }
    }
    const { port, lines } = await start({ answer: async () => endless() });
    const raw = openRaw(port, ...lines('/verdant', 'Content-Length: 2'));
    raw.socket.write('{}');
    await eventually(() => raw.text.length).toBeGreaterThan(1_000);
    raw.socket.destroy();
    await eventually(() => ended.mock.calls.length).toBe(1);
  });
});

describe('a body', () => {
  test('[LIMIT-1] over the limit is refused while it arrives', async () => {
    const { port, lines } = await start();
    const raw = openRaw(port, ...lines('/verdant', 'Transfer-Encoding: chunked'));
    for (let i = 0; i < 11; i++) raw.socket.write(`2710\r\n${'x'.repeat(10_000)}\r\n`);
    await eventually(() => raw.text).toContain('413');
    expect(raw.text).toContain('"code":4130');
  });

  test('[LIMIT-1] that declares to be over the limit is refused unread', async () => {
    const { port, lines } = await start();
    const raw = openRaw(port, ...lines('/verdant', 'Content-Length: 99999999'));
    await eventually(() => raw.text).toContain('"code":4130');
  });

  test('that stops half-way disturbs nobody', async () => {
    const { port, lines, post } = await start();
    const raw = openRaw(port, ...lines('/verdant', 'Content-Length: 50'));
    raw.socket.write('{"messages":');
    raw.socket.end();
    await eventually(() => raw.ended).toBe(true);
    const response = await post('{"messages":[]}');
    expect(await response.json()).toEqual({ messages: [] });
  });
});

describe('an upload', () => {
  const upload = async (file: File) => {
    const started = await start();
    const form = new FormData();
    form.append('file', file);
    const response = await fetch(`${started.syncEndpoint}/files/f1`, {
      method: 'POST',
      body: form,
      headers: { authorization: started.authorization },
    });
    return { ...started, response };
  };

  test('of many pieces is stored', async () => {
    const { response, stored } = await upload(new File(['x'.repeat(900_000)], 'a.txt'));
    expect(await response.json()).toEqual({ success: true });
    expect(stored).toEqual([{ name: 'a.txt', bytes: 900_000 }]);
  });

  test('over the limit is refused, and nothing stored', async () => {
    const { response, stored } = await upload(new File(['x'.repeat(1_000_001)], 'a.txt'));
    expect(response.status).toBe(413);
    expect(stored).toEqual([]);
  });

  test('that stops half-way stores nothing', async () => {
    const { port, lines, stored } = await start();
    const type = 'Content-Type: multipart/form-data; boundary=b';
    const raw = openRaw(port, ...lines('/verdant/files/f1', type, 'Content-Length: 5000'));
    raw.socket.write('--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf a fi');
    raw.socket.end();
    await eventually(() => raw.ended).toBe(true);
    expect(stored).toEqual([]);
  });
});
