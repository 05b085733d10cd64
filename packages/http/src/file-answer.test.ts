import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Verdant } from '@verdant-web/core';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { createHttpRouter } from './router.js';
import { asClient, fakeCore } from './testing/fake-core.js';

const appOf = (core: Verdant) => new Hono().route('/verdant', createHttpRouter(core));
const formOf = (...files: File[]) => {
  const form = new FormData();
  for (const file of files) form.append('file', file);
  return form;
};
const upload = (core: Verdant, body: BodyInit, headers: Record<string, string> = {}) =>
  appOf(core).request('/verdant/files/f1', { method: 'POST', body, headers: { ...asClient, ...headers } });
const raw = { 'content-type': 'multipart/form-data; boundary=b' };
const part = (headers: string, body: string) => `--b\r\n${headers}\r\n\r\n${body}\r\n`;
const fileHeader = 'Content-Disposition: form-data; name="file"; filename="a.txt"';

describe('an upload', () => {
  test('is stored as it was sent by a browser', async () => {
    const { core, uploads } = fakeCore();
    const content = Uint8Array.from({ length: 4_000 }, (_, i) => i & 0xff);
    const response = await upload(
      core,
      formOf(new File([content], 'Ünïcode "☀".png', { type: 'image/png' })),
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ success: true });
    expect(uploads).toEqual([
      { id: 'f1', name: 'Ünïcode "☀".png', type: 'image/png', size: 4_000, bytes: content },
    ]);
  });

  test('may be empty, and of no known type', async () => {
    const { core, uploads } = fakeCore();
    expect((await upload(core, `${part(fileHeader, '')}--b--`, raw)).status).toBe(200);
    expect(uploads).toEqual([
      { id: 'f1', name: 'a.txt', type: 'application/octet-stream', size: 0, bytes: new Uint8Array(0) },
    ]);
  });

  test('may come with other fields', async () => {
    const { core, uploads } = fakeCore();
    const other = part('Content-Disposition: form-data; name="note"', 'hello');
    await upload(core, `${other}${part(fileHeader, 'content')}${other}--b--`, raw);
    expect(Buffer.from(uploads[0]!.bytes).toString()).toBe('content');
  });

  test.each([
    ['small', 10],
    ['as large as what is read ahead', 1_048_576],
    ['large', 3_000_000],
  ])('that is %s has a known length before its bytes', async (_, size) => {
    const sizes: number[] = [];
    const { core } = fakeCore({
      limits: { maxFileBytes: 10_000_000 } as Verdant['limits'],
      files: {
        upload: async (_token, file, body) => {
          sizes.push(file.size, (await new Response(body).arrayBuffer()).byteLength);
        },
      } as Verdant['files'],
    });
    // A real form over a real socket: this is how Node's fetch frames it.
    const server = serve({ fetch: appOf(core).fetch, port: 0 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const body = formOf(new File(['x'.repeat(size)], 'x'));
    const url = `http://localhost:${port}/verdant/files/f1`;
    expect((await fetch(url, { method: 'POST', body, headers: asClient })).status).toBe(200);
    expect(sizes).toEqual([size, size]);
    server.close();
  });

  test('[FILE-1] is answered only when it is stored', async () => {
    let stored: (() => void) | undefined;
    const { core } = fakeCore({
      files: {
        upload: async (_token, _file, body) => {
          await new Response(body).arrayBuffer();
          await new Promise<void>((resolve) => {
            stored = resolve;
          });
        },
      } as Verdant['files'],
    });
    let answered = false;
    const response = Promise.resolve(upload(core, formOf(new File(['x'], 'x')))).then((answer) => {
      answered = true;
      return answer;
    });
    await expect.poll(() => stored).toBeDefined();
    expect(answered).toBe(false);
    stored?.();
    expect((await response).status).toBe(200);
  });
});

describe('an upload is refused', () => {
  const refused = async (body: BodyInit, headers: Record<string, string> = {}) => {
    const { core, uploads } = fakeCore();
    const response = await upload(core, body, headers);
    expect(uploads).toEqual([]);
    return { status: response.status, ...((await response.json()) as { code: number }) };
  };

  test.each([
    ['that is no form', '{}', { 'content-type': 'application/json' }],
    [
      'without a field "file"',
      `${part('Content-Disposition: form-data; name="x"; filename="a"', '')}--b--`,
      raw,
    ],
    ['whose file is text', `${part('Content-Disposition: form-data; name="file"', 'x')}--b--`, raw],
    ['with two files', `${part(fileHeader, 'x')}${part(fileHeader, 'y')}--b--`, raw],
    ['that breaks off in the file', `--b\r\n${fileHeader}\r\n\r\nhalf a fi`, raw],
    ['that breaks off after the file', `${part(fileHeader, 'x')}--b`, raw],
    ['that breaks off in a later field', `${part(fileHeader, 'x')}--b\r\n\r\nhalf`, raw],
    ['in an encoding', `${part(`${fileHeader}\r\nContent-Transfer-Encoding: base64`, 'eA==')}--b--`, raw],
    ['with too many fields', `${part('X: y', '').repeat(200)}--b--`, raw],
  ])('[FILE-6] %s', async (_, body, headers) => {
    expect(await refused(body, headers)).toMatchObject({ status: 400, code: 4000 });
  });

  test('[LIMIT-7] over the limit, as soon as that is known', async () => {
    expect(await refused(formOf(new File(['x'.repeat(5_001)], 'x')))).toMatchObject({
      status: 413,
      code: 4130,
    });
    expect(await refused('x', { ...raw, 'content-length': '9999999999' })).toMatchObject({ code: 4130 });
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Buffer.from('x'.repeat(1_000))),
      start: (controller) => controller.enqueue(Buffer.from(`--b\r\n${fileHeader}\r\n\r\n`)),
    });
    const { core } = fakeCore();
    const init: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      body: endless,
      headers: { ...asClient, ...raw },
      duplex: 'half',
    };
    expect((await appOf(core).request('/verdant/files/f1', init)).status).toBe(413);
  });

  const large = `${fileHeader}\r\n\r\n${'x'.repeat(2_000_000)}`;
  const refusedLarge = async (body: string, headers: Record<string, string> = {}) => {
    const { core, uploads } = fakeCore({
      limits: { maxFileBytes: 10_000_000 } as Verdant['limits'],
    });
    const response = await upload(core, body, { ...raw, ...headers });
    expect(uploads).toEqual([]);
    return { status: response.status, ...((await response.json()) as { code: number }) };
  };

  test('[FILE-13] that is large and does not say how long it is', async () => {
    expect(await refusedLarge(`--b\r\n${large}\r\n--b--\r\n`)).toMatchObject({ status: 411, code: 4110 });
  });

  test.each([
    [
      'with a field behind it',
      `--b\r\n${large}\r\n${part('Content-Disposition: form-data; name="x"', '')}--b--\r\n`,
    ],
    ['without a line break at its end', `--b\r\n${large}\r\n--b--`],
    ['that breaks off', `--b\r\n${large}`],
  ])('[FILE-13] that is large, %s', async (_, body) => {
    const headers = { 'content-length': String(body.length) };
    expect(await refusedLarge(body, headers)).toMatchObject({ status: 400, code: 4000 });
  });

  test('without a token, unread', async () => {
    expect(await refused(formOf(new File(['x'], 'x')), { authorization: '' })).toMatchObject({ code: 4010 });
  });

  test('by the core, with its own error', async () => {
    const { core } = fakeCore({
      files: {
        upload: () => Promise.reject(new VerdantError(VerdantErrorCode.NoFileStorage, 'There is none.')),
      } as unknown as Verdant['files'],
    });
    const response = await upload(core, formOf(new File(['x'], 'x')));
    expect(await response.json()).toMatchObject({ code: 5011 });
  });
});
