import { describe, expect, test } from 'vitest';
import { init, op, set, stamp } from './messages.js';
import { founder, Peer, type Posted } from './peer.js';
import { sharedCli } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* How much there may be of anything, with the limits of a server that was given none. */
const server = sharedCli();

/** Sends one message over HTTP. */
const post = (message: object): Promise<Posted> => new Peer(server, fresh(), 'ann').post([message]);

const sync = (operations: unknown[], more: object = {}) => ({
  type: 'sync',
  timestamp: stamp(),
  operations,
  baselines: [],
  schemaVersion: 1,
  since: null,
  resyncAll: true,
  ...more,
});

const nested = (depth: number): unknown => (depth === 1 ? [] : [nested(depth - 1)]);
const text = (length: number) => 'x'.repeat(length);

/** What has a size, how many of it are allowed, and a message that has as many as it is told to. */
const sizes: [what: string, most: number, message: (size: number) => object][] = [
  ['characters of an object id', 1_024, (n) => sync([init(`items/${text(n - 6)}`, {})])],
  ["characters of a field's name", 1_024, (n) => sync([set('items/1', text(n), 1)])],
  ['characters of a nonce', 1_024, (n) => ({ type: 'ack', nonce: text(n) })],
  ['characters of a reason', 1_024, (n) => ({ type: 'disconnecting', reason: text(n) })],
  ['characters of a replica id', 256, (n) => sync([], { replicaId: text(n) })],
  ['characters of an access key', 4_096, (n) => sync([init('items/1', {}, text(n))])],
  ['levels of a value', 64, (n) => sync([set('items/1', 'deep', nested(n))])],
  ['places of a list', 1_000_000, (n) => sync([op('items/1', { op: 'list-set', index: n, value: 1 })])],
];

describe('a message', () => {
  test.each(sizes)('[LIMIT-2] with as many %s as are allowed is taken: %i', async (_, most, message) => {
    expect((await post(message(most))).status).toBe(200);
  });

  test.each(sizes)('[LIMIT-2] with more %s than %i is refused', async (_, most, message) => {
    const { status, body } = await post(message(most + 1));
    expect({ status, body }).toMatchObject({ status: 400, body: { code: 4000 } });
  });

  test.each(['operations', 'baselines'])('[LIMIT-2] with more than 2,000,000 %s is refused', async (what) => {
    const { status, body } = await post(sync([], { [what]: Array.from({ length: 2_000_001 }, () => 0) }));
    expect(status).toBe(400);
    expect((body as { message: string }).message).toContain('2000000');
  });
});

describe('a request', () => {
  test('[LIMIT-4] has up to 10,000 messages', async () => {
    const heartbeats = (length: number) => Array.from({ length }, () => ({ type: 'heartbeat' }));
    const peer = new Peer(server, fresh(), 'ann');
    expect((await peer.post(heartbeats(10_000))).messages).toHaveLength(10_000);
    const { status, body } = await peer.post(heartbeats(10_001));
    expect({ status, body }).toMatchObject({ status: 400, body: { code: 4000 } });
  });

  test('[HTTP-2] with one malformed message is refused, and nothing of it is worked off', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = new Peer(server, library, 'bob');
    const { ackedTimestamp: since } = await bob.poll();
    const { status } = await bob.post([
      { type: 'presence-update', presence: { seen: true } },
      bob.syncMessage({ since, operations: [set('items/1', 'half', true)] }),
      { type: 'op', timestamp: 'never', operations: [] },
    ]);
    expect(status).toBe(400);
    const marker = set('items/1', 'marker', 1);
    const cem = new Peer(server, library, 'cem');
    const first = await cem.poll();
    await cem.poll({ since: first.ackedTimestamp, operations: [marker] });
    expect((await ann.take('op-re')).operations).toEqual([marker]);
    expect(JSON.stringify(ann.received)).not.toContain('seen');
    ann.close();
  });
});

describe('a file', () => {
  const upload = (token: string, id: string, name: string, type: string) => {
    const form = new FormData();
    form.set('file', new Blob(['bytes'], { type }), name);
    return fetch(`${server.base}/verdant/files/${id}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: form,
    });
  };

  test('[FILE-8] has an id of up to 512 characters, a name that is cut, and a type that is plain where it is odd', async () => {
    const token = tokenFor(server.base, fresh(), 'ann');
    expect((await upload(token, text(513), 'a.txt', 'text/plain')).status).toBe(400);
    const id = text(512);
    for (const [given, kept] of [
      [`text/${text(250)}`, `text/${text(250)}`],
      [`text/${text(251)}`, 'application/octet-stream'],
    ] as const) {
      expect((await upload(token, id, text(1_025), given)).status).toBe(200);
      const info = await fetch(`${server.base}/verdant/files/${id}`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      const { name, type } = (await info.json()) as { name: string; type: string };
      expect([name.length, type]).toEqual([1_024, kept]);
    }
  });
});
