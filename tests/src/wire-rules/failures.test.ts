import type { FileStorage } from '@verdant-web/core';
import { memoryStorage } from '@verdant-web/core/memory';
import { expect, test } from 'vitest';
import { documentsOf } from './documents.js';
import { gatedStorage } from './gated-storage.js';
import { push, set, stamp } from './messages.js';
import { founder, joiner, Peer, readBody } from './peer.js';
import { composed, sharedCli } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* What the server is built on fails: a clear error to whoever asked, nothing to anybody else, and it goes on afterwards. */
const server = sharedCli();
const errorObject = { code: expect.any(Number) as number, message: expect.any(String) as string };

const upload = (base: string, token: string, id: string) => {
  const form = new FormData();
  form.set('file', new Blob(['bytes']), 'a.txt');
  return fetch(`${base}/verdant/files/${id}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, Origin: 'https://app.test' },
    body: form,
  });
};

test('[HTTP-5] a library that cannot be opened is a 5xx to its callers, and is opened when it can be', async () => {
  const storage = gatedStorage(memoryStorage());
  await composed({ storage }, async (app) => {
    const other = await founder(app, fresh());
    const library = fresh();
    const opening = storage.holdOpen();
    const asked = new Peer(app, library, 'ann').post([{ type: 'heartbeat' }]);
    await opening.reached;
    opening.fail();
    const { status, body } = await asked;
    expect(status).toBeGreaterThanOrEqual(500);
    expect(body).toEqual(errorObject);
    expect(JSON.stringify(body)).not.toContain('disk is gone');
    const ann = await founder(app, library);
    await ann.write(set('items/1', 'x', 1));
    await other.write(set('items/1', 'x', 1));
    for (const peer of [ann, other]) peer.close();
  });
});

test('[PRES-12] profiles that never come do not hold up sync', async () => {
  await composed({ profiles: { get: () => new Promise(() => {}) } }, async (app) => {
    const library = fresh();
    const ann = await founder(app, library);
    const bob = new Peer(app, library, 'bob');
    const { peerPresence } = await bob.poll();
    expect(peerPresence.bob?.profile).toEqual({ id: 'bob' });
    await ann.write(set('items/1', 'x', 1));
    ann.close();
  });
});

test.each([
  ['throw', () => new Error('the disk is full: /secret/path')],
  ['throw what is no error', () => 'full'],
])(
  '[FILE-7] bytes of an upload that cannot be stored (%s) are a 5xx with CORS, and leave no record',
  async (_, failure) => {
    let fails = true;
    const fileStorage: FileStorage = {
      put: async (_file, body) => {
        if (fails) throw failure();
        for await (const _piece of body);
      },
      getUrl: () => 'http://localhost/nowhere',
      delete: async () => {},
    };
    await composed({ fileStorage }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const token = tokenFor(app.base, library, 'ann');
      const refused = await upload(app.base, token, 'photo');
      expect(refused.status).toBeGreaterThanOrEqual(500);
      expect(refused.headers.get('access-control-allow-origin')).toBe('https://app.test');
      const body = await readBody(refused);
      expect(body).toEqual(errorObject);
      expect(JSON.stringify(body)).not.toContain('secret');
      const info = () =>
        fetch(`${app.base}/verdant/files/photo`, { headers: { Authorization: `Bearer ${token}` } });
      expect((await info()).status).toBe(404);
      fails = false;
      expect((await upload(app.base, token, 'photo')).status).toBe(200);
      expect((await info()).status).toBe(200);
      await ann.write(set('items/1', 'x', 1));
      ann.close();
    });
  },
);

test('a file whose URL cannot be made is a 5xx, and the process lives', async () => {
  const fileStorage: FileStorage = {
    put: async (_file, body) => {
      for await (const _piece of body);
    },
    getUrl: () => {
      throw new Error('no URLs today');
    },
    delete: async () => {},
  };
  await composed({ fileStorage }, async (app) => {
    const token = tokenFor(app.base, fresh(), 'ann');
    expect((await upload(app.base, token, 'photo')).status).toBe(200);
    const info = await fetch(`${app.base}/verdant/files/photo`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(info.status).toBeGreaterThanOrEqual(500);
    expect(await readBody(info)).toEqual(errorObject);
  });
});

test("an app's listener that throws takes nothing from anybody", async () => {
  await composed({}, async (app) => {
    app.core.events.subscribe('changes', () => {
      throw new Error('a bug of the app');
    });
    app.core.events.subscribe('changes', (() =>
      Promise.reject(new Error('a later bug of the app'))) as () => void);
    const library = fresh();
    const ann = await founder(app, library);
    const bob = await joiner(app, library);
    const operation = set('items/1', 'x', 1);
    await ann.write(operation);
    expect((await bob.take('op-re')).operations).toEqual([operation]);
    for (const peer of [ann, bob]) peer.close();
  });
});

test('a logger that throws takes nothing from anybody', { timeout: 20_000 }, async () => {
  const log = () => {
    throw new Error('the log is full');
  };
  await composed({ log }, async (app) => {
    const library = fresh();
    const ann = await founder(app, library);
    const mallory = await new Peer(app, library, 'mallory').connect();
    mallory.raw('{');
    await mallory.ended();
    await ann.write(set('items/1', 'x', 1));
    const bob = await joiner(app, library);
    for (const peer of [ann, bob]) peer.close();
  });
});

test('[FILE-9] without a file storage an upload is 5011, and sync goes on', async () => {
  await composed({ fileStorage: undefined as never }, async (app) => {
    const library = fresh();
    const ann = await founder(app, library);
    const refused = await upload(app.base, tokenFor(app.base, library, 'ann'), 'photo');
    expect(refused.status).toBe(501);
    expect(await readBody(refused)).toEqual({ ...errorObject, code: 5011 });
    await ann.write(set('items/1', 'x', 1));
    ann.close();
  });
});

test('[HTTP-13] a request whose last message is refused may be sent again, and what came first is there once', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const bob = new Peer(server, library, 'bob');
  const { ackedTimestamp: since } = await bob.poll();
  const pushed = push('items/1:tags', 'once');
  const ahead = { ...set('items/1', 'ahead', 1), timestamp: stamp(Date.now() + 600_000) };
  const refused = await bob.post([
    bob.syncMessage({ since, operations: [pushed] }),
    { type: 'op', timestamp: stamp(), operations: [ahead] },
  ]);
  expect(refused.status).toBe(503);
  await bob.poll({ since, operations: [pushed] });
  const cem = await joiner(server, library, 'cem');
  const answer = cem.received.find((message) => message.type === 'sync-resp')!;
  expect(documentsOf(answer)['items/1:tags']).toEqual(['once']);
  expect(JSON.stringify(answer)).not.toContain('ahead');
  for (const peer of [ann, cem]) peer.close();
});
