import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Peer } from './testing/peer.js';
import { bundleWorker, type RunningWorker, startWorker } from './testing/start-worker.js';

let worker: RunningWorker;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'verdant-objects-'));
  worker = await startWorker({ persist: folder });
});
afterAll(async () => {
  await worker.stop();
  await rm(folder, { recursive: true, force: true });
});

let libraries = 0;
const newLibrary = () => `library-${++libraries}`;
const join = async (library: string, user: string, of = worker) =>
  Peer.open(of.base, await of.token(library, user), `${user}-1`);
const documentOf = (library: string, id: string) =>
  worker.control<unknown>(library, 'getDocumentSnapshot', 'items', id);

test('two libraries know nothing of each other', async () => {
  const [one, other] = [newLibrary(), newLibrary()];
  const [ana, bob] = await Promise.all([join(one, 'ana'), join(other, 'bob')]);
  await ana.start({ cursor: 1 });
  const { peerPresence } = await bob.start();
  expect(peerPresence).not.toHaveProperty('ana');
  ana.create('mine', { text: 'x' });
  await ana.next(({ type }) => type === 'server-ack');
  bob.create('yours', { text: 'y' });
  await bob.next(({ type }) => type === 'server-ack');
  expect(await documentOf(one, 'mine')).toMatchObject({ text: 'x' });
  expect(await documentOf(other, 'mine')).toBeNull();
  expect(bob.received.filter(({ type }) => type === 'op-re')).toEqual([]);
});

test('what was acknowledged is there after the object died amid writing, and everybody goes on', async () => {
  const library = newLibrary();
  const ana = await join(library, 'ana');
  await ana.start();
  const created: { id: string; timestamp: string }[] = [];
  const write = async () => {
    for (let n = 0; ana.closed === null; n++) {
      created.push({ id: `item${n}`, ...ana.create(`item${n}`, { n }) });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const writing = write();
  await ana.next(({ type }) => type === 'server-ack');
  await expect(worker.control(library, 'abort')).rejects.toThrow();
  await writing;
  const acked = new Set(
    ana.received.filter(({ type }) => type === 'server-ack').map(({ timestamp }) => timestamp),
  );
  expect(acked.size).toBeGreaterThan(0);
  expect(acked.size).toBeLessThan(created.length);
  for (const { id, timestamp } of created) {
    if (acked.has(timestamp)) expect(await documentOf(library, id), id).not.toBeNull();
  }
  const again = await join(library, 'ana');
  await again.start({}, ana.now());
  again.create('after', { text: 'z' });
  await again.next(({ type }) => type === 'server-ack');
});

test('everything is there after a restart of all', async () => {
  const library = newLibrary();
  const ana = await join(library, 'ana');
  await ana.start();
  ana.create('kept', { text: 'x' });
  await ana.next(({ type }) => type === 'server-ack');
  await worker.stop();
  worker = await startWorker({ persist: folder });
  expect(await documentOf(library, 'kept')).toMatchObject({ text: 'x' });
});

test('an evicted library holds nothing, and whoever was connected is told to come back', async () => {
  const library = newLibrary();
  const ana = await join(library, 'ana');
  await ana.start();
  ana.create('gone', { text: 'x' });
  await ana.next(({ type }) => type === 'server-ack');
  await worker.control(library, 'evict');
  expect((await ana.whenClosed()).code).toBe(1012);
  expect(await documentOf(library, 'gone')).toBeNull();
});

test('a refusal is an answer that pages of other origins can read', async () => {
  const headers = { origin: 'https://app.example.com' };
  const refused = await fetch(`${worker.base}/verdant`, { method: 'POST', headers, body: '{}' });
  expect(refused.status).toBe(401);
  expect(await refused.json()).toMatchObject({ code: 4010 });
  expect(refused.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  const asked = await fetch(`${worker.base}/verdant/files/x`, {
    method: 'OPTIONS',
    headers: { ...headers, 'access-control-request-headers': 'authorization' },
  });
  expect(asked.status).toBe(204);
  expect(asked.headers.get('access-control-allow-headers')).toMatch(/authorization/i);
});

test('an answer has each header for other origins once', async () => {
  const authorization = `Bearer ${await worker.token(newLibrary(), 'ana')}`;
  const headers = { origin: 'https://app.example.com', authorization };
  const answer = await fetch(`${worker.base}/verdant`, { method: 'POST', headers, body: '{"messages":[]}' });
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
});

test('while one secret replaces another, tokens of both are taken, over sockets and HTTP', async () => {
  const library = newLibrary();
  for (const signedBy of ['TOKEN_SECRET', 'OLD_TOKEN_SECRET']) {
    const token = await worker.token(library, 'ana', { signedBy });
    const ana = await Peer.open(worker.base, token, `ana-${signedBy}`);
    expect(await ana.start()).toMatchObject({ type: 'sync-resp' });
    const headers = { authorization: `Bearer ${token}` };
    const polled = await fetch(`${worker.base}/verdant`, {
      method: 'POST',
      headers,
      body: '{"messages":[]}',
    });
    expect(polled.status).toBe(200);
  }
});

test('an upgrade without a good token is refused with a status', async () => {
  await expect(Peer.open(worker.base, 'no-token', 'x')).rejects.toThrow('401');
});

test('[REFUSE-4] an upgrade that is refused again and again waits for its answer', async () => {
  const refused = async () => {
    const from = performance.now();
    await expect(Peer.open(worker.base, 'still-no-token', 'x')).rejects.toThrow('401');
    return performance.now() - from;
  };
  await refused();
  expect(await refused()).toBeGreaterThan(900);
  expect(await refused()).toBeGreaterThan(1_900);
});

test('a frame that is no text is refused', async () => {
  const ana = await join(newLibrary(), 'ana');
  await ana.start();
  ana.sendBinary(new Uint8Array([1, 2, 3]));
  expect((await ana.whenClosed()).code).toBe(4000);
});

test('an object holds one library', async () => {
  const library = newLibrary();
  await worker.control(library, 'getInfo');
  await expect(worker.control(library, 'initialize', 'another')).rejects.toThrow('idFromName(libraryId)');
});

test('nothing of Node is in the bundle, and it runs with nodejs_compat as well', async () => {
  expect(await bundleWorker('./worker.ts')).not.toMatch(/(?:from|import|require)\s*\(?\s*["']node:/);
  const compatible = await startWorker({ compatibilityFlags: ['nodejs_compat'] });
  const ana = await join(newLibrary(), 'ana', compatible);
  expect(await ana.start()).toMatchObject({ type: 'sync-resp' });
  await compatible.stop();
});
