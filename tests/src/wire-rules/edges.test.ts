import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileStorage } from '@verdant-web/core';
import { LocalFileStorage } from '@verdant-web/files-local';
import { describe, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../server.js';
import { waitFor } from '../until.js';
import { privateTo, set, stamp } from './messages.js';
import { founder, joiner, Peer, readBody } from './peer.js';
import { frame, RawSocket } from './raw-socket.js';
import { composed, sharedCli } from './servers.js';
import { claimsFor, encode, fresh, jwt, seconds, tokenFor } from './tokens.js';

/* Tokens, errors, files, sockets, presence and access: where the original server is known to fail. */
const server = sharedCli();

const post = (token: string) =>
  fetch(`${server.base}/verdant`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: '{"messages":[]}',
  });

const upload = (base: string, token: string, id: string, name: string, content: Blob) => {
  const form = new FormData();
  form.set('file', content, name);
  return fetch(`${base}/verdant/files/${encodeURIComponent(id)}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
    body: form,
  });
};

describe('error bodies', () => {
  test('[HTTP-3] [AUTH-6] are JSON objects, not strings that hold JSON: an expired token is 401 and 4012', async () => {
    const response = await post(tokenFor(server.base, fresh(), 'ann', { exp: seconds() - 60 }));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 4012 });
  });

  test('[AUTH-6] a bad signature is 401, and what a fresh token may cure', async () => {
    const response = await post(jwt(claimsFor(server.base, fresh(), 'ann'), { secret: 'z'.repeat(40) }));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 4012 });
  });
});

describe('tokens', () => {
  const base = () => claimsFor(server.base, fresh(), 'ann');
  const without = (name: string) =>
    Object.fromEntries(Object.entries(base()).filter(([key]) => key !== name));

  test.each<[string, () => string]>([
    ['HS384', () => jwt(base(), { alg: 'HS384' })],
    ['HS512', () => jwt(base(), { alg: 'HS512' })],
    ['none', () => jwt(base(), { alg: 'none' })],
    ['no expiry', () => jwt(without('exp'))],
    ['no library', () => jwt(without('lib'))],
    ['an object as library', () => jwt({ ...base(), lib: { id: 'x' } })],
    ['a list as library', () => jwt({ ...base(), lib: ['x'] })],
    ['an object as user', () => jwt({ ...base(), sub: { id: 'x' } })],
    ['no user', () => jwt(without('sub'))],
    ['an expiry that is text', () => jwt({ ...base(), exp: 'tomorrow' })],
    ['an unknown type', () => jwt({ ...base(), type: 9 })],
    ['claims that are no object', () => jwt('text')],
    ['claims that are a list', () => jwt([1])],
    ['no signature', () => `${encode({ alg: 'HS256' })}.${encode(base())}.`],
    ['a critical header that nobody knows', () => jwt(base(), { header: { crit: ['x'], x: 1 } })],
  ])('[AUTH-1] [AUTH-2] with %s could never have been ours: 401 and 4011', async (_, token) => {
    const response = await post(token());
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 401,
      body: { code: 4011, message: expect.any(String) as string },
    });
  });

  test.each(['4', '5'])('[AUTH-11] of the read-only type %j given as text may not write', async (type) => {
    const library = fresh();
    const ann = await founder(server, library);
    const reader = new Peer(server, library, 'reader', { type });
    await reader.post([reader.syncMessage()]);
    const { messages } = await reader.post([
      { type: 'op', timestamp: stamp(), operations: [set('items/1', 'title', 'hacked')] },
    ]);
    expect(messages).toEqual([{ type: 'forbidden' }]);
    const bob = await joiner(server, library);
    const marker = set('items/1', 'marker', 1);
    await bob.write(marker);
    expect((await ann.take('op-re')).operations).toEqual([marker]);
    for (const peer of [ann, bob]) peer.close();
  });

  test('[AUTH-11] [SOCK-3] of a type without sockets given as text opens none', async () => {
    const peer = new Peer(server, fresh(), 'ann', { type: '1' });
    await expect(peer.connect()).rejects.toThrow('403');
  });
});

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
    expect(
      (await readdir(server.folder)).filter((file) => !before.includes(file) && file !== 'verdant-files'),
    ).toEqual([]);
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

describe('sockets', () => {
  test('[SOCK-7] [AUTH-5] do not outlive their token, and the tolerance of the verifier', async () => {
    const library = fresh();
    const token = tokenFor(server.base, library, 'ann', { exp: seconds() - 2 });
    const ann = await new Peer(server, library, 'ann', { token }).connect();
    await ann.sync();
    await ann.ended(10_000);
    await expect(ann.connect()).rejects.toThrow('401');
  });

  test('[SOCK-8] of a peer that is dead are noticed, and its user goes offline', async () => {
    await composed({ websocket: { pingIntervalMs: 150 } }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      // It answers no ping.
      const dead = await RawSocket.upgraded(app.port, tokenFor(app.base, library, 'dead'));
      dead.write(frame(JSON.stringify({ type: 'presence-update', replicaId: 'dead-1', presence: {} })));
      await ann.take('presence-changed', ({ userInfo }) => userInfo.id === 'dead');
      const gone = await ann.take('presence-offline', ({ userId }) => userId === 'dead');
      expect(gone.replicaId).toBe('dead-1');
      ann.close();
      dead.destroy();
    });
  });

  test('[LIMIT-9] of a slow reader are closed when too much waits for it; the others go on', async () => {
    await composed({ limits: { maxSocketBufferBytes: 2_000_000 } }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const bob = await joiner(app, library);
      const slow = await RawSocket.upgraded(app.port, tokenFor(app.base, library, 'slow'));
      slow.write(frame(JSON.stringify({ type: 'presence-update', replicaId: 'slow-1', presence: {} })));
      const sync = { type: 'sync', replicaId: 'slow-1', timestamp: stamp(), operations: [], baselines: [] };
      slow.write(frame(JSON.stringify({ ...sync, schemaVersion: 1, since: null, resyncAll: true })));
      await waitFor(() => slow.text.includes('"sync-resp"'));
      slow.socket.pause();
      const large = 'x'.repeat(200_000);
      const offline = bob.take('presence-offline', ({ userId }) => userId === 'slow', 20_000);
      let gone = false;
      void offline.then(() => {
        gone = true;
      });
      for (let i = 0; i < 200 && !gone; i++) await ann.write(set('items/1', 'large', large + i));
      await offline;
      slow.destroy();
      for (const peer of [ann, bob]) peer.close();
    });
  });

  test('[WORK-2] of many readers cost one serialisation of a message, not one each', async () => {
    await composed({}, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const readers: Peer[] = [];
      for (let i = 0; i < 20; i++) readers.push(await joiner(app, library, `reader-${i}`));
      const marker = fresh('marker');
      const frameText = JSON.stringify({
        type: 'op',
        replicaId: ann.id,
        timestamp: stamp(),
        operations: [set('items/1', 'title', marker)],
      });
      const spy = vi.spyOn(JSON, 'stringify');
      try {
        ann.raw(frameText);
        await Promise.all(readers.map((reader) => reader.take('op-re')));
        const made = spy.mock.results.filter(
          ({ type, value }) => type === 'return' && String(value).includes(marker),
        );
        expect(made.length).toBeLessThan(6);
      } finally {
        spy.mockRestore();
      }
      for (const peer of [ann, ...readers]) peer.close();
    });
  });
});

describe('profiles', () => {
  test('[PRES-12] whose look-up failed are looked up again', async () => {
    let fails = true;
    const profiles = {
      get: async (userId: string) => {
        if (fails) throw new Error('the directory is down');
        return { id: userId, name: 'Known' };
      },
    };
    await composed({ profiles }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const bob = await joiner(app, library);
      bob.send('presence-update', { presence: {} });
      const first = await ann.take('presence-changed', ({ userInfo }) => userInfo.id === 'bob');
      expect(first.userInfo.profile).toEqual({ id: 'bob' });
      fails = false;
      bob.close();
      await ann.take('presence-offline');
      const again = await joiner(app, library, 'bob', { id: bob.id });
      again.send('presence-update', { presence: {} });
      const second = await ann.take('presence-changed', ({ userInfo }) => userInfo.id === 'bob');
      expect(second.userInfo.profile).toEqual({ id: 'bob', name: 'Known' });
      for (const peer of [ann, again]) peer.close();
    });
  });
});

describe('presence of HTTP callers', () => {
  test('[PRES-7] [PRES-8] ends with its lease, the others are told, and nobody is shown it afterwards', async () => {
    await composed({ presenceLeaseMs: 400 }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const poller = new Peer(app, library, 'poller');
      await poller.poll();
      await ann.take('presence-changed', ({ userInfo }) => userInfo.id === 'poller');
      const gone = await ann.take('presence-offline', ({ userId }) => userId === 'poller');
      expect(gone.replicaId).toBe(poller.id);
      const bob = await new Peer(app, library, 'bob').connect();
      expect(Object.keys((await bob.sync()).peerPresence)).not.toContain('poller');
      for (const peer of [ann, bob]) peer.close();
    });
  });
});

describe('access to a private document', () => {
  test('[PRIV-4] [PRIV-7] an operation without authz on it goes to its user alone, and no other may write there', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const phone = await joiner(server, library, 'ann');
    const bob = await joiner(server, library);
    const root = {
      ...set('items/p', '', 0),
      data: { op: 'initialize', value: { id: 'p' } },
      authz: privateTo('ann'),
    };
    await ann.write(root);
    await ann.write(set('items/p', 'title', 'secret'));
    await ann.write({ ...set('items/p:n', '', 0), data: { op: 'initialize', value: { deep: 'secret' } } });
    await bob.write(set('items/p', 'title', 'written by bob'));
    const marker = set('items/1', 'marker', 1);
    await ann.write(marker);
    expect((await bob.take('op-re')).operations).toEqual([marker]);
    await phone.take('op-re', ({ operations }) => operations[0]?.timestamp === marker.timestamp);
    const shown = JSON.stringify(phone.received);
    expect(shown).toContain('"title","value":"secret"');
    expect(shown).toContain('"deep":"secret"');
    expect(shown).not.toContain('written by bob');
    const cem = await joiner(server, library, 'cem');
    expect(JSON.stringify(cem.received)).not.toContain('secret');
    for (const peer of [ann, phone, bob, cem]) peer.close();
  });
});
