import { randomUUID } from 'node:crypto';
import type { StoredFile } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { fileStorageContract } from '@verdant-web/testkit/files';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RemoteFileStorage } from './testing/remote-file-storage.js';
import { type KitWorker, startKitWorker } from './testing/start-kit-worker.js';

let worker: KitWorker;
beforeAll(async () => {
  worker = await startKitWorker();
});
afterAll(() => worker.stop());

fileStorageContract({
  name: 'R2FileStorage',
  has: ['open', 'inventory'],
  async create() {
    const storage = new RemoteFileStorage(worker.base, randomUUID());
    return {
      storage,
      async read(file) {
        const response = await fetch(await storage.getUrl(file));
        if (response.status === 404) return null;
        expect(response.status).toBe(200);
        return new Uint8Array(await response.arrayBuffer());
      },
      async dispose() {
        for await (const found of storage.inventory.list()) await storage.inventory.remove(found);
      },
    };
  },
});

describe('serveR2Files', () => {
  test('serves a file with its type and name, and lets no browser guess another', async () => {
    const { url } = await stored({ name: 'my photo é.png', type: 'image/png' });
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': '10',
      'content-disposition': expect.stringContaining("filename*=UTF-8''my%20photo%20%C3%A9.png"),
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
    });
    expect(await response.text()).toBe('0123456789');
  });

  test.each(['text/html', 'image/svg+xml', 'application/xhtml+xml'])(
    'has %s downloaded, so that it is no page of ours',
    async (type) => {
      const { url } = await stored({ name: 'page.html', type });
      const { headers } = await fetch(url);
      expect(headers.get('content-disposition')).toMatch(/^attachment/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    },
  );

  test.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=8-', '89', 'bytes 8-9/10'],
    ['bytes=-1', '9', 'bytes 9-9/10'],
    ['bytes=5-99', '56789', 'bytes 5-9/10'],
  ])('answers the range %s', async (range, text, contentRange) => {
    const { url } = await stored();
    const response = await fetch(url, { headers: { range } });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(contentRange);
    expect(response.headers.get('content-length')).toBe(String(text.length));
    expect(await response.text()).toBe(text);
  });

  test('says of a range that is not there how many bytes there are', async () => {
    const { url } = await stored();
    const response = await fetch(url, { headers: { range: 'bytes=10-' } });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */10');
  });

  test('sends no bytes that the browser has, until they are others', async () => {
    const { storage, url, file } = await stored();
    const etag = (await fetch(url)).headers.get('etag')!;
    expect(etag).toMatch(/^"[^"]+"$/);
    const again = () => fetch(url, { headers: { 'if-none-match': etag } });
    const same = await again();
    expect(same.status).toBe(304);
    expect(await same.text()).toBe('');
    await storage.put({ ...file, size: 5 }, new Response('other').body!);
    const other = await again();
    expect(other.status).toBe(200);
    expect(other.headers.get('etag')).not.toBe(etag);
    expect(await other.text()).toBe('other');
  });

  test('describes a file to HEAD', async () => {
    const { url } = await stored();
    const response = await fetch(url, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('10');
    expect(await response.text()).toBe('');
  });

  test('finds a file whatever the name behind it, since its metadata has the name', async () => {
    const { url } = await stored({ name: 'a.png' });
    const response = await fetch(url.replace(/a\.png$/, 'other.html'));
    expect(response.headers.get('content-disposition')).toContain('a.png');
    expect(await response.text()).toBe('0123456789');
  });

  test('404 for what is not there, and for what was never a URL of a file', async () => {
    const { url, host } = await stored();
    const paths = [
      ...[
        '',
        '/',
        '/lib',
        '/lib/file',
        '/lib/file/',
        '/lib/file/a/b',
        '/other/file/a.png',
        '/lib/other/a.png',
      ],
      ...[
        '/lib//a.png',
        '//file/a.png',
        '/%2e%2e/file/a.png',
        '/lib%2Ffile/a.png',
        '/lib/%00/a.png',
        '/%/%/%',
      ],
      ...['/%zz/file/a.png', `/${'x'.repeat(2_000)}/file/a.png`, '/__proto__/constructor/a.png'],
    ];
    expect((await fetch(url)).status).toBe(200);
    const statuses = await Promise.all(paths.map(async (path) => [path, (await fetch(host + path)).status]));
    expect(statuses).toEqual(paths.map((path) => [path, 404]));
  });

  test('nothing that lies beside the prefix', async () => {
    const [mine, yours] = [await stored({ id: 'mine' }), await stored({ id: 'yours' })];
    expect((await fetch(mine.url.replace('/mine/', '/yours/'))).status).toBe(404);
    const name = yours.host.split('/').at(-1)!;
    expect((await fetch(`${mine.host}/..%2F${name}/lib/yours/a.png`)).status).toBe(404);
  });
});

test('R2FileStorage takes no body of another length than was announced', async () => {
  const { storage, url, file } = await stored();
  for (const size of [2, 9]) {
    await expect(storage.put({ ...file, size }, new Response('other').body!)).rejects.toThrow();
  }
  expect(await (await fetch(url)).text()).toBe('0123456789');
});

test('R2FileStorage refuses a file beyond its limit, unread', async () => {
  const { storage, file } = await stored();
  const tooLarge = { ...file, size: 100 * 1024 * 1024 + 1 };
  await expect(storage.put(tooLarge, new Response('short').body!)).rejects.toThrow('larger than');
});

test('R2FileStorage gives no bytes that came after it was opened, of the same length neither', async () => {
  const { storage, file } = await stored();
  for (const range of [undefined, { from: 2, to: 4 }]) {
    const opened = (await storage.open(file))!;
    await storage.put({ ...file, size: 10 }, new Response(randomUUID().slice(0, 10)).body!);
    await expect(new Response(opened.read(range) as BodyInit).text()).rejects.toThrow();
  }
});

test('R2FileStorage lists all that is below its prefix, more than R2 tells at a time, and nothing else', async () => {
  await stored();
  const storage = new RemoteFileStorage(worker.base, randomUUID());
  await storage.fill(1_001);
  const keys = new Set<string>();
  for await (const { key } of storage.inventory.list()) keys.add(key);
  expect(keys.size).toBe(1_001);
});

/** A storage with one file of ten bytes. */
async function stored(changes: Partial<StoredFile> = {}) {
  const storage = new RemoteFileStorage(worker.base, randomUUID());
  const file = { id: 'file', libraryId: 'lib' as LibraryId, name: 'a.png', type: 'image/png', ...changes };
  await storage.put({ ...file, size: 10 }, new Response('0123456789').body!);
  const url = await storage.getUrl(file);
  return { storage, file, url, host: new URL(url).href.split('/').slice(0, -3).join('/') };
}
