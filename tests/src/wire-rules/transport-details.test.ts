import { memoryStorage } from '@verdant-web/core/memory';
import { describe, expect, test } from 'vitest';
import { documentsOf } from './documents.js';
import { gatedStorage } from './gated-storage.js';
import { init, op, push, set, stamp } from './messages.js';
import { founder, joiner, Peer, readBody } from './peer.js';
import { composed, sharedCli } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* Messages, operations, the global ack, files and limits (docs/protocol.md), from the wire. */
const server = sharedCli();

describe('heartbeats', () => {
  test.each([
    ['of new clients', '{"type":"heartbeat"}'],
    ['of old clients', JSON.stringify({ type: 'heartbeat', timestamp: stamp(), replicaId: 'old' })],
    ['with nonsense in fields that nobody reads', '{"type":"heartbeat","timestamp":7,"replicaId":{}}'],
  ])('[MSG-5] %s are answered to the sender alone, before any sync', async (_, text) => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await new Peer(server, library, 'bob').connect();
    bob.raw(text);
    expect(await bob.take('heartbeat-response')).toEqual({ type: 'heartbeat-response' });
    await ann.fence();
    expect(ann.unread('heartbeat-response')).toEqual([]);
    for (const peer of [ann, bob]) peer.close();
  });
});

describe('op', () => {
  test('[OP-1] [OP-2] is acknowledged to its sender and told to the others, once and in server order', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    const cem = await joiner(server, library, 'cem');
    const written = Array.from({ length: 50 }, (_, index) => push('items/1:tags', index));
    await Promise.all(written.map((operation, index) => (index % 2 ? ann : bob).write(operation)));
    const marker = set('items/1', 'marker', 1);
    await ann.write(marker);
    await cem.take('op-re', ({ operations }) => operations.at(-1)?.timestamp === marker.timestamp);
    const heard = (peer: Peer) =>
      peer.received
        .flatMap((message) => (message.type === 'op-re' ? message.operations : []))
        .map((o) => o.timestamp);
    const all = heard(cem);
    expect(new Set(all).size).toBe(51);
    expect(all).toHaveLength(51);
    await bob.fence();
    // In the same order, less what is its own.
    const others = all.filter((timestamp) => heard(bob).includes(timestamp));
    expect(heard(bob)).toEqual(others);
    expect(heard(bob)).toHaveLength(26);
    expect(ann.received.filter((message) => message.type === 'server-ack')).toHaveLength(26);
    for (const peer of [ann, bob, cem]) peer.close();
  });

  test.each([4, 5])(
    '[OP-8] of a read-only token (type %i) is forbidden, and nothing of it is stored',
    async (type) => {
      const library = fresh();
      const ann = await founder(server, library);
      const reader = new Peer(server, library, 'reader', { type });
      await reader.poll();
      const { messages } = await reader.post([
        { type: 'op', timestamp: stamp(), operations: [set('items/1', 'hacked', 1)] },
      ]);
      expect(messages).toEqual([{ type: 'forbidden' }]);
      const bob = await joiner(server, library);
      expect(JSON.stringify(bob.received)).not.toContain('hacked');
      for (const peer of [ann, bob]) peer.close();
    },
  );

  test('[OP-5] of a replica that never synced is not stored: 503 over HTTP, an end of the socket', async () => {
    const library = fresh();
    const stranger = new Peer(server, library, 'stranger');
    const { status, headers } = await stranger.post([
      { type: 'op', timestamp: stamp(), operations: [init('items/1', { founded: 'by an op' })] },
    ]);
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    await stranger.connect();
    stranger.send('op', { timestamp: stamp(), operations: [init('items/1', { founded: 'by an op' })] });
    await stranger.ended();
    expect(stranger.unread('server-ack')).toEqual([]);
    const ann = await new Peer(server, library, 'ann').connect();
    expect(await ann.sync()).toMatchObject({ operations: [], overwriteLocalData: false });
    ann.close();
  });

  test('[OP-9] that was stored already is acknowledged again, and told to nobody', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    const pushed = push('items/1:tags', 'once');
    await ann.write(pushed);
    await ann.write(pushed);
    const marker = set('items/1', 'marker', 1);
    await ann.write(marker);
    await bob.take('op-re', ({ operations }) => operations[0]?.timestamp === marker.timestamp);
    const cem = await joiner(server, library, 'cem');
    const answer = cem.received.find((message) => message.type === 'sync-resp')!;
    expect(documentsOf(answer)['items/1:tags']).toEqual(['once']);
    const heard = bob.received.filter((message) => message.type === 'op-re');
    expect(heard.flatMap(({ operations }) => operations)).toEqual([pushed, marker]);
    for (const peer of [ann, bob, cem]) peer.close();
  });

  test('[PATCH-3] whose patch does not fit its object is stored and told: it is nothing when applied', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    const odd = [push('items/1', 1), set('items/nowhere', 'x', 1), op('items/1:tags', { op: 'touch' })];
    await ann.write(...odd);
    expect((await bob.take('op-re')).operations).toEqual(odd);
    for (const peer of [ann, bob]) peer.close();
  });
});

test('[FOLD-1] [FOLD-4] the global ack is the smallest of those that count, rises only, and is told when one that counted leaves', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const passive = await new Peer(server, library, 'passive', { type: 2 }).connect();
  await passive.sync();
  const first = set('items/1', 'n', 1);
  await ann.write(first);
  await passive.take('op-re');
  await ann.fence();
  // The passive one is connected and has not acknowledged: nothing at or past `first` is announced yet.
  await ann.write(set('items/1', 'n', 2));
  const announced = () =>
    ann.received.flatMap((message) => (message.type === 'global-ack' ? [message.timestamp] : []));
  expect(announced().filter((timestamp) => timestamp >= first.timestamp)).toEqual([]);
  passive.close();
  await ann.take('global-ack', ({ timestamp }) => timestamp >= first.timestamp);
  expect(announced()).toEqual([...new Set(announced())].sort());
  ann.close();
});

test('[FOLD-3] a passive replica that comes back lowers no global ack that was announced', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const last = set('items/1', 'n', 2);
  await ann.write(last);
  await ann.take('global-ack', ({ timestamp }) => timestamp >= last.timestamp);
  const passive = await new Peer(server, library, 'passive', { type: 2 }).connect();
  const { globalAckTimestamp } = await passive.sync();
  expect(globalAckTimestamp! >= last.timestamp).toBe(true);
  const next = set('items/1', 'n', 3);
  await ann.write(next);
  const { globalAckTimestamp: told } = await passive.take('op-re');
  expect(told === undefined || told >= last.timestamp).toBe(true);
  passive.ack(next.timestamp);
  await ann.take('global-ack', ({ timestamp }) => timestamp >= next.timestamp);
  const announced = ann.received.flatMap((message) =>
    message.type === 'global-ack' ? [message.timestamp] : [],
  );
  expect(announced).toEqual([...announced].sort());
  for (const peer of [ann, passive]) peer.close();
});

test('[HTTP-10] a sync URL with a trailing slash is the same one', async () => {
  const library = fresh();
  const response = await fetch(`${server.base}/verdant/`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${tokenFor(server.base, library, 'ann')}` },
    body: '{"messages":[{"type":"heartbeat"}]}',
  });
  expect(await response.json()).toEqual({ messages: [{ type: 'heartbeat-response' }] });
});

describe('files', () => {
  const headersOf = (library: string, more: object = {}) => ({
    Authorization: `Bearer ${tokenFor(server.base, library, 'ann', more)}`,
  });
  const put = (library: string, path: string, content = 'bytes', name = 'photo.png') => {
    const form = new FormData();
    form.set('file', new Blob([content], { type: 'image/png' }), name);
    return fetch(`${server.base}/verdant${path}`, {
      method: 'POST',
      headers: headersOf(library),
      body: form,
    });
  };

  test('[FILE-1] [FILE-2] are uploaded, described and served; remote is said there', async () => {
    const library = fresh();
    const uploaded = await put(library, '/files/photo-1');
    expect(uploaded.status).toBe(200);
    expect(await uploaded.json()).toEqual({ success: true });
    const info = await fetch(`${server.base}/verdant/files/photo-1`, { headers: headersOf(library) });
    const file = (await info.json()) as { url: string };
    expect(file).toEqual({
      id: 'photo-1',
      libraryId: library,
      name: 'photo.png',
      type: 'image/png',
      url: expect.stringMatching(/^http:\/\/localhost/) as string,
      remote: true,
    });
    const served = await fetch(file.url);
    expect(await served.text()).toBe('bytes');
    expect(served.headers.get('content-type')).toContain('image/png');
  });

  test.each([
    ['two slashes before files, as a sync URL with a trailing slash makes them', '//files/double', 'double'],
    ['an id with slashes, encoded', `/files/${encodeURIComponent('a/b/c')}`, 'a/b/c'],
    ['an id with a percent sign', `/files/${encodeURIComponent('100%')}`, '100%'],
  ])('[FILE-4] [HTTP-10] are found with %s', async (_, path, id) => {
    const library = fresh();
    expect((await put(library, path)).status).toBe(200);
    const info = await fetch(`${server.base}/verdant${path}`, { headers: headersOf(library) });
    expect(await info.json()).toMatchObject({ id, remote: true });
  });

  test('[FILE-3] that are uploaded again are the new ones', async () => {
    const library = fresh();
    await put(library, '/files/again', 'first');
    await put(library, '/files/again', 'second', 'other.png');
    const info = await fetch(`${server.base}/verdant/files/again`, { headers: headersOf(library) });
    const file = (await info.json()) as { name: string; url: string };
    expect(file.name).toBe('other.png');
    expect(await (await fetch(file.url)).text()).toBe('second');
  });

  test('[FILE-2] that are unknown are 404 with a code', async () => {
    const info = await fetch(`${server.base}/verdant/files/never`, { headers: headersOf(fresh()) });
    expect(info.status).toBe(404);
    expect(await readBody(info)).toMatchObject({ code: 4040 });
  });

  test('[FILE-5] may be read by a read-only token, which may upload none', async () => {
    const library = fresh();
    await put(library, '/files/photo');
    const headers = headersOf(library, { type: 4 });
    const read = await fetch(`${server.base}/verdant/files/photo`, { headers });
    expect(read.status).toBe(200);
    const form = new FormData();
    form.set('file', new Blob(['x']), 'x.txt');
    const written = await fetch(`${server.base}/verdant/files/photo`, {
      method: 'POST',
      headers,
      body: form,
    });
    expect(written.status).toBe(403);
  });
});

describe('a poll whose answer takes long', () => {
  async function slowPoll(end: 'open' | 'fail', seen: (response: Response) => Promise<void>) {
    const storage = gatedStorage(memoryStorage());
    await composed({ storage }, async (app) => {
      const library = fresh();
      const ann = await founder(app, library);
      const bob = new Peer(app, library, 'bob');
      const { ackedTimestamp: since } = await bob.poll();
      const gate = storage.hold((change) => (change.operations?.length ?? 0) > 0);
      const asked = Date.now();
      const message = {
        replicaId: bob.id,
        ...bob.syncMessage({ since, operations: [push('items/1:tags', 1)] }),
      };
      const response = await fetch(`${app.base}/verdant`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${bob.token}`, Origin: 'https://app.test' },
        body: JSON.stringify({ messages: [message] }),
      });
      // The answer itself is still held.
      expect(Date.now() - asked).toBeLessThan(2_500);
      expect(response.status).toBe(200);
      expect(response.headers.get('access-control-allow-origin')).toBe('https://app.test');
      gate[end]();
      await seen(response);
      ann.close();
    });
  }

  test('[HTTP-6] has its head within 2 s, and its body when it is ready', () =>
    slowPoll('open', async (response) => {
      const { messages } = (await response.json()) as { messages: { type: string }[] };
      expect(messages.map(({ type }) => type)).toEqual(['sync-resp']);
    }));

  test('[HTTP-7] and then fails, is aborted: half an answer is not taken for a whole one', () =>
    slowPoll('fail', async (response) => {
      await expect(response.text()).rejects.toThrow();
    }));
});

test('[LIMIT-8] more sockets of one user than are allowed are refused with 503, and room is made by those that leave', async () => {
  await composed({ limits: { maxConnectionsPerUser: 3 } }, async (app) => {
    const library = fresh();
    const open = await Promise.all([1, 2, 3].map(() => new Peer(app, library, 'ann').connect()));
    await expect(new Peer(app, library, 'ann').connect()).rejects.toThrow('503');
    const bob = await new Peer(app, library, 'bob').connect();
    open[0]!.close();
    await open[0]!.ended();
    await expect
      .poll(() => new Peer(app, library, 'ann').connect().then(() => 'open', String), { timeout: 8_000 })
      .toBe('open');
    for (const peer of [...open, bob]) peer.close();
  });
});

test('[SOCK-11] [HTTP-4] a server that is closing says 503 to requests, and not 429', async () => {
  const held: { stop(): void } = { stop: () => {} };
  let asked = 0;
  const profiles = {
    get: (userId: string) =>
      new Promise((resolve) => {
        asked++;
        held.stop = () => resolve({ id: userId });
      }),
  };
  await composed({ profiles }, async (app) => {
    const library = fresh();
    const slow = new Peer(app, library, 'slow').poll();
    await expect.poll(() => asked).toBe(1);
    const closing = app.core.close();
    const refused = await new Peer(app, library, 'late').post([{ type: 'heartbeat' }]);
    expect(refused.status).toBe(503);
    expect(refused.body).toMatchObject({ code: 5030 });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    held.stop();
    // What was under way is finished.
    expect((await slow).type).toBe('sync-resp');
    await closing;
  });
});

test('[EVICT-2] [EVICT-4] evicted: everybody is disconnected, the first one back is the truth, and the others are reset to it', async () => {
  await composed({}, async (app) => {
    const library = fresh();
    const ann = await founder(app, library);
    const bob = await joiner(app, library);
    await bob.fence();
    await app.core.evict(library);
    await Promise.all([ann.ended(), bob.ended()]);
    const back = await new Peer(app, library, 'bob', { id: bob.id }).connect();
    expect(await back.trySync({ since: stamp(), operations: [] })).toEqual({
      type: 'need-since',
      since: null,
    });
    const whole = await back.sync({
      baselines: [{ oid: 'items/1', timestamp: stamp(), snapshot: { truth: 'bob' } }],
    });
    expect(whole.overwriteLocalData).toBe(false);
    const other = await new Peer(app, library, 'ann', { id: ann.id }).connect();
    const answer = await other.sync({ since: stamp(), operations: [set('items/1', 'truth', 'ann')] });
    expect(answer.overwriteLocalData).toBe(true);
    expect(answer.baselines.map(({ snapshot }) => snapshot)).toEqual([{ truth: 'bob' }]);
    expect(answer.operations).toEqual([]);
    for (const peer of [back, other]) peer.close();
  });
});
