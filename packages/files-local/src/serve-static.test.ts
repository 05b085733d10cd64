import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import type { StoredFile } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { fileStorageContract } from '@verdant-web/testkit/files';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LocalFileStorage } from './local-file-storage.js';

/** An app that serves the files as the documentation has it, on a free port. */
const startApp = async () => {
  const root = await mkdtemp(join(tmpdir(), 'verdant-served-'));
  const app = new Hono().get(
    '/files/*',
    serveStatic({ root, rewriteRequestPath: (path) => path.replace('/files/', '') }),
  );
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const listening = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(listening));
  });
  const { port } = server.address() as AddressInfo;
  const storage = new LocalFileStorage({ rootDirectory: root, host: `http://127.0.0.1:${port}/files` });
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    if ('closeAllConnections' in server) server.closeAllConnections();
    await closed;
    await rm(root, { recursive: true });
  };
  return { storage, root, stop };
};

fileStorageContract({
  name: 'LocalFileStorage, served by serveStatic,',
  has: ['open', 'inventory'],
  create: async () => {
    const { storage, stop } = await startApp();
    const read = async (file: StoredFile) => {
      const response = await fetch(storage.getUrl(file));
      const body = new Uint8Array(await response.arrayBuffer());
      return response.ok ? body : null;
    };
    return { storage, read, dispose: stop };
  },
});

describe('served by serveStatic', () => {
  let app: Awaited<ReturnType<typeof startApp>>;
  beforeEach(async () => {
    app = await startApp();
  });
  afterEach(() => app.stop());

  test.each([
    ['photo.png', 'image/png'],
    ['Holiday 2026 ☀.JPG', 'image/jpeg'],
    ['../../résumé.PDF', 'application/pdf'],
    ['.%2e/a?b#c.MP4', 'video/mp4'],
    [`${'long '.repeat(500)}.gif`, 'image/gif'],
    ['no extension', 'application/octet-stream'],
  ])('%j has the content type %s', async (name, type) => {
    const file: StoredFile = { id: 'f/1', libraryId: 'Lib 1' as LibraryId, name, type: 'x/y' };
    await app.storage.put({ ...file, size: 5 }, new Blob(['hello']).stream() as ReadableStream<Uint8Array>);
    const response = await fetch(app.storage.getUrl(file));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(await response.text()).toBe('hello');
  });

  test('halves of uploads are not listed, and gone when they are whole', async () => {
    const { storage, root } = app;
    const file: StoredFile = { id: 'f1', libraryId: 'lib' as LibraryId, name: 'a.txt', type: 'text/plain' };
    const half = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
    const stored = storage.put({ ...file, size: 4 }, half.readable);
    const writer = half.writable.getWriter();
    await writer.write(new TextEncoder().encode('ha'));
    const [name] = await readdir(join(root, '.tmp'));
    const base = new URL('/files', storage.getUrl(file)).href;
    const statusOf = async (path: string) => (await fetch(`${base}/${path}`)).status;
    for (const path of ['.tmp', '.tmp/', '.tmp/index.html', '.tmp/f1', 'lib/f1/a.txt'])
      expect([path, await statusOf(path)]).toEqual([path, 404]);
    // Who knew the name could read it: 122 random bits.
    expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    expect(await statusOf(`.tmp/${name}`)).toBe(200);
    await writer.write(new TextEncoder().encode('lf'));
    await writer.close();
    await stored;
    expect(await statusOf(`.tmp/${name}`)).toBe(404);
    expect(await statusOf('lib/f1/a.txt')).toBe(200);
  });
});
