import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileStorage } from '@verdant-web/core';
import { LocalFileStorage } from '@verdant-web/files-local';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../server.js';
import { waitFor } from '../until.js';
import { readBody } from './peer.js';
import { composed, sharedCli } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* Uploads: when they are answered, where they go, how large they may be. */
const server = sharedCli();

const upload = (base: string, token: string, id: string, name: string, content: Blob) => {
  const form = new FormData();
  form.set('file', content, name);
  return fetch(`${base}/verdant/files/${encodeURIComponent(id)}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
    body: form,
  });
};

describe('uploads', () => {
  test('[FILE-1] are answered when the bytes are stored, not before', async () => {
    const folder = await temporaryFolder();
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let started = false;
    const inner = new LocalFileStorage({ rootDirectory: folder, host: 'http://localhost/files' });
    const slow: FileStorage = {
      getUrl: (file) => inner.getUrl(file),
      delete: (file) => inner.delete(file),
      put: async (file, body) => {
        started = true;
        await finished;
        await inner.put(file, body);
      },
    };
    await composed({ fileStorage: slow }, async (app) => {
      const token = tokenFor(app.base, fresh(), 'ann');
      let answered = false;
      const answer = upload(app.base, token, 'photo', 'a.txt', new Blob(['bytes'])).then((response) => {
        answered = true;
        return response;
      });
      await waitFor(() => started);
      expect((await fetch(`${app.base}/verdant`, { method: 'OPTIONS' })).ok).toBe(true);
      expect(answered).toBe(false);
      finish();
      expect(await (await answer).json()).toEqual({ success: true });
    });
  });

  test.each([
    ['a name', 'plain', '../../../../escaped.txt'],
    ['an id', '../../../../escaped', 'a.txt'],
    ['both, as Windows has it', '..\\..\\escaped', '..\\..\\escaped.txt'],
    ['a name that is absolute', 'plain', '/tmp/escaped-by-wire-rules.txt'],
  ])('[FILE-4] do not leave their folder by %s', async (_, id, name) => {
    const library = fresh();
    const token = tokenFor(server.base, library, 'ann');
    const before = await readdir(server.folder);
    const response = await upload(server.base, token, id, name, new Blob(['bytes']));
    const escaped = ['escaped', 'escaped.txt', '..\\..\\escaped'];
    for (const folder of [server.folder, join(server.folder, '..'), '/tmp']) {
      for (const file of escaped) expect(existsSync(join(folder, file))).toBe(false);
    }
    expect(existsSync('/tmp/escaped-by-wire-rules.txt')).toBe(false);
    const own = (file: string) => file === 'verdant-files' || file.startsWith('verdant.sqlite');
    const after = await readdir(server.folder);
    expect(after.filter((file) => !before.includes(file) && !own(file))).toEqual([]);
    // What is taken is found again under its id.
    expect(response.status).toBe(200);
    const info = await fetch(`${server.base}/verdant/files/${encodeURIComponent(id)}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const file = (await info.json()) as { id: string; url: string };
    expect(file.id).toBe(id);
    expect(await (await fetch(file.url)).text()).toBe('bytes');
  });

  test('[LIMIT-7] over the limit are 413, and leave no file', async () => {
    await composed({ limits: { maxFileBytes: 1_000 } }, async (app) => {
      const token = tokenFor(app.base, fresh(), 'ann');
      const response = await upload(app.base, token, 'big', 'big.bin', new Blob(['x'.repeat(5_000)]));
      expect(response.status).toBe(413);
      expect(await readBody(response)).toMatchObject({ code: 4130 });
      const info = await fetch(`${app.base}/verdant/files/big`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      expect(info.status).toBe(404);
      const small = await upload(app.base, token, 'big', 'big.bin', new Blob(['x'.repeat(1_000)]));
      expect(small.status).toBe(200);
    });
  });
});
