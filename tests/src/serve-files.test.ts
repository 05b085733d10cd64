import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { createVerdant, LocalFileStorage, TokenProvider, type Verdant } from '@verdant-web/server';
import { createHttpRouter, serveFiles } from '@verdant-web/server/node';
import { memoryStorage } from '@verdant-web/server/storage';
import { Hono } from 'hono';
import { chromium } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHROMIUM_FLAGS, installedChromium, NO_CHROMIUM } from './chromium/installed.js';

const SECRET = 'a-secret-of-the-system-tests-0123456789';

let folder: string;
let base: string;
let core: Verdant;
let server: ReturnType<typeof createServer>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verdant-serve-files-'));
  let app = new Hono();
  server = createServer(getRequestListener((request) => app.fetch(request)));
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  base = `http://localhost:${(server.address() as AddressInfo).port}`;
  const fileStorage = new LocalFileStorage({ rootDirectory: folder, host: `${base}/files` });
  core = createVerdant({ storage: memoryStorage(), tokenSecret: SECRET, fileStorage });
  app = new Hono()
    .route('/verdant', createHttpRouter(core))
    .route('/files', serveFiles(core))
    .get('/page', (c) => c.html(`<script>window.ran = []</script>${c.req.query('body') ?? ''}`));
});
afterEach(async () => {
  await core.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const headers = () => ({
  Authorization: `Bearer ${new TokenProvider({ secret: SECRET }).getToken({
    libraryId: 'Team A',
    userId: 'ana',
    syncEndpoint: `${base}/verdant`,
  })}`,
});

const form = (content: string | Uint8Array<ArrayBuffer>, name: string, type: string) => {
  const body = new FormData();
  body.append('file', new File([content], name, { type }));
  return body;
};

const upload = async (id: string, content: string | Uint8Array<ArrayBuffer>, name: string, type: string) => {
  const url = `${base}/verdant/files/${id}`;
  const stored = await fetch(url, { method: 'POST', headers: headers(), body: form(content, name, type) });
  expect(stored.status).toBe(200);
  return ((await (await fetch(url, { headers: headers() })).json()) as { url: string }).url;
};

const onDisk = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;

test('a file is served by its URL, whole and in part, and not to somebody who guesses', async () => {
  const content = new Uint8Array(3_000_000).fill(7);
  const url = await upload('f1', content, 'Große Datei.MP4', 'video/mp4');
  const whole = await fetch(url);
  expect(whole.headers.get('content-type')).toBe('video/mp4');
  expect(whole.headers.get('content-length')).toBe('3000000');
  expect((await whole.arrayBuffer()).byteLength).toBe(3_000_000);
  const part = await fetch(url, { headers: { Range: 'bytes=-5' } });
  expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 5]);
  expect((await fetch(url.replace('/f1/', '/f2/'))).status).toBe(404);
});

test('[FILE-14] an upload that was cut off and comes again is there once, whole, and leaves no half', async () => {
  for (const cutAfter of [1, 3]) {
    let pieces = 0;
    const cut = new AbortController();
    // The beginning of a form that never ends, until the connection is cut.
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (pieces === 0) {
          const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n';
          controller.enqueue(new TextEncoder().encode(head));
        }
        if (pieces++ < cutAfter) controller.enqueue(new Uint8Array(900_000));
        else cut.abort();
      },
    });
    const init: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      headers: { ...headers(), 'Content-Type': 'multipart/form-data; boundary=b' },
      body,
      duplex: 'half',
      signal: cut.signal,
    };
    await expect(fetch(`${base}/verdant/files/f1`, init)).rejects.toThrow();
    const url = await upload('f1', `whole ${cutAfter}`, 'a.bin', 'x/y');
    expect(await (await fetch(url)).text()).toBe(`whole ${cutAfter}`);
    await expect.poll(onDisk, { timeout: 20_000 }).toBe(1);
  }
});

test('in Chromium an image is shown, and HTML and SVG are downloaded rather than run', {
  timeout: 120_000,
}, async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>fetch("/ran")</script></svg>';
  const shown = await upload('svg', svg, 'a.svg', 'image/svg+xml');
  const html = await upload('html', '<script>fetch("/ran")</script>', 'ü.html', 'text/html');
  const script = await upload('js', 'window.ran.push(1)', 'a.js', 'text/javascript');
  const executablePath = installedChromium();
  if (!executablePath) throw new Error(`NOT TESTED: ${NO_CHROMIUM}`);
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  try {
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    const markup = `<img src="${shown}"><script src="${script}"></script>`;
    await page.goto(`${base}/page?body=${encodeURIComponent(markup)}`, { waitUntil: 'load' });
    expect(await page.evaluate('document.images[0].naturalWidth')).toBe(9);
    expect(await page.evaluate('window.ran')).toEqual([]);
    for (const [url, name] of [
      [shown, 'a.svg'],
      [html, 'ü.html'],
    ] as const) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.goto(url).catch(() => {}), // it fails, as what is downloaded is no page
      ]);
      expect(download.suggestedFilename()).toBe(name);
    }
    expect(asked).not.toContain('/ran');
  } finally {
    await browser.close();
  }
});
