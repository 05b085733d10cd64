import { setTimeout as milliseconds } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { never, waitFor } from '../until.js';
import { createClock } from '../wire.js';
import { type Generation, generations } from './bundle.js';
import { type OpenOptions, openClient, type TestClient } from './open-client.js';
import { type ScriptedServer, startScriptedServer, syncResponse } from './scripted-server.js';

// What the published clients do on the wire, as far as the server's rules rest on it. A test here fails only when a
// client changes: then the server's rules want a second look.

let server: ScriptedServer;
const clients: TestClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.kill();
  await server.stop();
});

async function open(generation: Generation, options: Partial<OpenOptions> = {}): Promise<TestClient> {
  server = await startScriptedServer();
  const { authEndpoint } = server;
  const client = await openClient({ generation, authEndpoint, userId: 'ana', online: false, ...options });
  clients.push(client);
  return client;
}

const now = createClock();
const initialize = (oid: string, value: unknown, timestamp = now()) => ({
  oid,
  timestamp,
  data: { op: 'initialize', value },
});
const ref = (id: string) => ({ '@@type': 'ref', id });
/** An item as another replica would have made it. */
const milk = () => [
  initialize('items/1:tags', []),
  initialize('items/1:meta', { color: null, size: 0 }),
  initialize('items/1:labels', {}),
  initialize('items/1', {
    id: '1',
    content: 'milk',
    tags: ref('items/1:tags'),
    meta: ref('items/1:meta'),
    labels: ref('items/1:labels'),
    purchased: false,
    image: null,
  }),
];
const asBaselines = (operations: ReturnType<typeof milk>) =>
  operations.map(({ oid, timestamp, data }) => ({ oid, timestamp, snapshot: data.value }));
const push = (value: string) => ({
  oid: 'items/1:tags',
  timestamp: now(),
  data: { op: 'list-push', value },
});

describe.each(generations)('%s over a socket', (generation) => {
  const begin = () => open(generation);

  test('opens with its presence and its whole history, folded into baselines of one time', async () => {
    const client = await begin();
    await client.put('1', { content: 'milk' });
    await client.addTag('1', 'cold');
    await client.start();
    expect(server.received.slice(0, 2).map(({ type }) => type)).toEqual(['presence-update', 'sync']);
    const sync = server.of('sync')[0]!;
    expect(sync).toMatchObject({ since: null, resyncAll: true, operations: [] });
    expect(sync.baselines).toHaveLength(4);
    expect(new Set(sync.baselines!.map(({ timestamp }) => timestamp)).size).toBeLessThanOrEqual(2);
    expect(sync.baselines!.every(({ timestamp }) => timestamp < sync.timestamp!)).toBe(true);
  });

  test('acks the last listed operation of a reply, of a reset too; baselines it does not ack', async () => {
    const client = await begin();
    const operations = milk();
    server.answer = (message) =>
      message.type === 'sync' ? [syncResponse(message, { operations, overwriteLocalData: true })] : [];
    await client.start();
    expect((await server.next('ack', 0)).timestamp).toBe(operations.at(-1)!.timestamp);
    expect(await client.list()).toMatchObject([{ content: 'milk' }]);

    server.send({ type: 'op-re', operations: [], baselines: asBaselines(milk()), replicaId: 'other' });
    await never(() => server.of('ack').length > 1, 200, 'baselines were acked');
  });

  test('sends as since what the last reply or server-ack confirmed, and of its own only what is newer', async () => {
    const client = await begin();
    server.answer = (message) => {
      if (message.type === 'sync') return [syncResponse(message)];
      return message.type === 'op' ? [{ type: 'server-ack', timestamp: message.timestamp }] : [];
    };
    await client.start();
    await client.put('1');
    const op = await server.next('op', 0);
    await waitFor(async () => (await client.replica()).lastSyncedLogicalTime === op.timestamp);
    server.answer = (message) => (message.type === 'sync' ? [syncResponse(message)] : []);
    await client.put('2');
    await server.next('op', 1);
    server.disconnect();
    const sync = await server.next('sync', 1);
    expect(sync.since).toBe(op.timestamp);
    expect(sync).toMatchObject({ resyncAll: false, baselines: [] });
    expect(sync.operations!.map(({ oid }) => oid.slice(0, 7))).toEqual(Array(4).fill('items/2'));
    // Messages are dated after the operations that they carry.
    expect(sync.operations!.every(({ timestamp }) => timestamp < sync.timestamp!)).toBe(true);
  });

  test('answers need-since with its whole history, and without resyncAll', async () => {
    const client = await begin();
    await client.put('1');
    await client.start();
    await client.put('2');
    server.answer = (message) => {
      if (message.type !== 'sync') return [];
      return message.since === null ? [syncResponse(message)] : [{ type: 'need-since', since: null }];
    };
    server.disconnect();
    await server.next('sync', 1);
    const full = await server.next('sync', 2);
    expect(full).toMatchObject({ since: null, resyncAll: false });
    expect(full.baselines).toHaveLength(4);
    expect(full.operations).toHaveLength(4);
  });

  test('holds back what it writes until the reply; a reset drops it, with all else', async () => {
    const client = await begin();
    const operations = milk();
    server.answer = () => [];
    await client.sync.start();
    const sync = await server.next('sync', 0);
    await client.put('9');
    await never(() => server.of('op').length > 0, 150, 'an op before the reply to sync');
    server.send(syncResponse(sync, { operations, overwriteLocalData: true }));
    await client.waitUntil((items) => items.length === 1 && items[0]!.id === '1');
    await never(() => server.of('op').length > 0, 150, 'the op was sent after all');
  });

  test('keeps an op-re that comes before the reply, and applies it after', async () => {
    const client = await begin();
    const [operations, early] = [milk(), push('early')];
    server.answer = (message) =>
      message.type === 'sync'
        ? [
            { type: 'op-re', operations: [early], replicaId: 'other' },
            syncResponse(message, { operations, overwriteLocalData: true }),
          ]
        : [];
    await client.start();
    await client.waitUntil(([first]) => first?.tags[0] === 'early');
  });

  test('applies baselines of an op-re', async () => {
    const client = await begin();
    await client.start();
    server.send({ type: 'op-re', operations: [], baselines: asBaselines(milk()), replicaId: 'other' });
    await client.waitUntil(([first]) => first?.content === 'milk');
  });

  test('returns a nonce at once, dated now', async () => {
    const client = await begin();
    server.answer = (message) =>
      message.type === 'sync' ? [syncResponse(message, { operations: milk(), ackThisNonce: 'n' })] : [];
    await client.start();
    const ack = await server.next('ack', 0);
    expect(ack).toMatchObject({ nonce: 'n' });
  });

  test('knows the first seen global ack as a reason to fold, and sends the same history as before', async () => {
    const client = await begin();
    await client.start();
    await client.put('1');
    await client.addTag('1', 'cold');
    const op = await server.next('op', 1);
    server.send({ type: 'server-ack', timestamp: op.timestamp! });
    server.send({ type: 'global-ack', timestamp: op.timestamp! });
    server.answer = (message) =>
      message.type === 'sync' && message.since !== null ? [{ type: 'need-since', since: null }] : [];
    // The 5.x client folds a moment later (`rebaseTimeout`).
    await milliseconds(250);
    server.disconnect();
    const full = await server.next('sync', 2);
    expect(full.operations).toEqual([]);
    expect(full.baselines).toHaveLength(4);
  });

  test('shows forbidden to nobody, and writes on', async () => {
    const client = await begin();
    server.answer = (message) =>
      message.type === 'sync' ? [syncResponse(message)] : [{ type: 'forbidden' }];
    await client.start();
    await client.put('1');
    await server.next('op', 0);
    await client.put('2');
    await server.next('op', 1);
    expect(await client.list()).toHaveLength(2);
  });

  test('hears no server-ack (nor global-ack, nor forbidden) before the reply to its sync', async () => {
    const client = await begin();
    await client.put('1');
    server.answer = () => [];
    await client.sync.start();
    const sync = await server.next('sync', 0);
    server.send({ type: 'server-ack', timestamp: now() });
    server.send(syncResponse(sync));
    await waitFor(async () => (await client.replica()).lastSyncedLogicalTime);
    expect((await client.replica()).lastSyncedLogicalTime).toBe(sync.timestamp);
  });

  test('reconnects to a closed socket at once', async () => {
    const client = await begin();
    await client.start();
    const from = Date.now();
    server.disconnect();
    await server.next('sync', 1);
    expect(Date.now() - from).toBeLessThan(1_000);
    expect(client.wire.sockets).toBe(2);
  });

  test('applies an operation that it is shown again once only', async () => {
    const client = await begin();
    server.answer = (message) =>
      message.type === 'sync' ? [syncResponse(message, { operations: milk() })] : [];
    await client.start();
    const again = push('again');
    server.send({ type: 'op-re', operations: [again], replicaId: 'other' });
    await client.waitUntil(([first]) => first?.tags.length === 1);
    server.send({ type: 'op-re', operations: [again, push('new')], replicaId: 'other' });
    await client.waitUntil(([first]) => first?.tags.includes('new'));
    expect((await client.list())[0]!.tags).toEqual(['again', 'new']);
  });

  const tagsOf = (items: Awaited<ReturnType<TestClient['list']>>) => items.find(({ id }) => id === '1')!.tags;
  /** What the client shows, and what the next tab of the device will. */
  const tagsNowAndLater = async (client: TestClient) => {
    const shown = tagsOf(await client.list());
    await client.close();
    const { device } = client;
    const next = await openClient({
      generation,
      userId: 'ana',
      authEndpoint: 'http://127.0.0.1:1',
      online: false,
      device,
    });
    clients.push(next);
    return { shown, stored: tagsOf(await next.list()) };
  };
  const beginWithMilk = async () => {
    const client = await begin();
    server.answer = (message) =>
      message.type === 'sync' ? [syncResponse(message, { operations: milk() })] : [];
    await client.start();
    await server.next('ack', 0);
    return client;
  };
  const deliver = async (...operations: ReturnType<typeof push>[]) => {
    const acks = server.of('ack').length;
    server.send({ type: 'op-re', operations, replicaId: 'other' });
    await server.next('ack', acks);
  };
  const fold = async () => {
    server.send({ type: 'global-ack', timestamp: now() });
    await milliseconds(250);
  };

  test('loses an operation dated before what it has folded: shows it, and no longer has it the next time', async () => {
    const client = await beginWithMilk();
    const [late, folded] = [push('late'), push('folded')];
    await deliver(folded);
    await fold();
    await deliver(late, push('new'));
    expect(await tagsNowAndLater(client)).toEqual({
      shown: ['late', 'folded', 'new'],
      stored: ['folded', 'new'],
    });
  });

  test('applies several resets at once: what comes meanwhile it stores, and shows until the last one is applied', async () => {
    const client = await beginWithMilk();
    // So much that all of them take longer than what comes meanwhile.
    const operations = [
      ...milk(),
      ...Array.from({ length: 200 }, (_, index) => initialize(`items/more-${index}`, {})),
    ];
    server.answer = (message) =>
      message.type === 'sync'
        ? Array.from({ length: 12 }, () => syncResponse(message, { operations, overwriteLocalData: true }))
        : [];
    server.disconnect();
    await server.next('sync', 1);
    const pushed = Array.from({ length: 100 }, (_, index) => push(`tag ${index}`));
    for (const operation of pushed) {
      server.send({ type: 'op-re', operations: [operation], replicaId: 'other' });
      await milliseconds(1);
    }
    await waitFor(() => server.of('ack').at(-1)?.timestamp === pushed.at(-1)!.timestamp);
    // It waits for the first of them to be applied as if that were the last.
    const { shown, stored } = await tagsNowAndLater(client);
    expect(stored).toEqual(pushed.map(({ data }) => data.value));
    expect(shown.length).toBeLessThan(stored.length);
  });

  test('applies operations twice that are delivered again after it folded them, and a global ack between', async () => {
    const client = await beginWithMilk();
    const [first, second] = [push('first'), push('second')];
    await deliver(first, second);
    await fold();
    await deliver(first);
    // Folds the first again, for nothing, but dates the baseline back to it.
    await fold();
    await deliver(second);
    expect(await tagsNowAndLater(client)).toEqual({
      shown: ['first', 'second'],
      stored: ['first', 'second', 'second'],
    });
  });
});

test.each([
  { generation: '3.6.3', shown: ['1'] },
  { generation: '5.5.0', shown: [] },
] as const)(
  '$generation: a document on the screen that comes again with a reset',
  async ({ generation, shown }) => {
    const client = await open(generation);
    const operations = milk();
    server.answer = (message) =>
      message.type === 'sync' ? [syncResponse(message, { operations, overwriteLocalData: true })] : [];
    await client.start();
    await client.waitUntil((items) => items.length === 1);
    server.disconnect();
    await server.next('ack', 1);
    await milliseconds(200);
    // The newer client takes it for deleted, because its nested objects are not back yet when it looks, …
    expect((await client.list()).map(({ id }) => id)).toEqual(shown);
    // … until anything about it changes.
    server.send({
      type: 'op-re',
      operations: [{ oid: 'items/1', timestamp: now(), data: { op: 'touch' } }],
      replicaId: 'other',
    });
    await client.waitUntil(([first]) => first?.content === 'milk');
  },
);

describe.each(generations)('%s over http', (generation) => {
  const begin = (options: Partial<OpenOptions> = {}) => open(generation, { transport: 'http', ...options });

  test('each poll is presence and sync; what it writes goes at once, in a request of its own', async () => {
    const client = await begin();
    await client.start();
    await server.next('sync', 2);
    await client.put('1');
    await server.next('op', 0);
    expect(server.received.slice(0, 4).map(({ type }) => type)).toEqual([
      'presence-update',
      'sync',
      'presence-update',
      'sync',
    ]);
  });

  test('acks nothing by timestamp; a nonce costs a request', async () => {
    const client = await begin();
    const operations = milk();
    let nonce: string | undefined;
    server.answer = (message) =>
      message.type === 'sync'
        ? [syncResponse(message, { operations, ...(nonce && { ackThisNonce: nonce }) })]
        : [];
    await client.start();
    await client.waitUntil((items) => items.length === 1);
    await server.next('sync');
    expect(server.of('ack')).toEqual([]);
    nonce = 'n';
    expect(await server.next('ack')).toMatchObject({ nonce });
  });

  test('takes a server-ack at its word: what a lost request held before it is never sent again', async () => {
    const client = await begin({ pullInterval: 60_000 });
    await client.start();
    server.refuse = () => ({ status: 503, body: { code: 5030 } });
    await client.put('1');
    await server.next('op', 0);
    server.refuse = undefined;
    server.answer = (message) =>
      message.type === 'sync'
        ? [syncResponse(message)]
        : [{ type: 'server-ack', timestamp: message.timestamp }];
    await client.put('2');
    const op = await server.next('op', 1);
    await waitFor(async () => (await client.replica()).lastSyncedLogicalTime === op.timestamp);
    client.browser.focus();
    expect((await server.next('sync', 1)).operations).toEqual([]);
  });

  test('goes on polling after 503 and after 401 with 4012', async () => {
    const client = await begin();
    await client.start();
    for (const refusal of [
      { status: 503, body: { code: 5030 } },
      { status: 401, body: { code: 4012 } },
    ]) {
      server.refuse = () => refusal;
      const before = server.counts.requests;
      await waitFor(() => server.counts.requests > before + 2);
      server.refuse = undefined;
      const answered = client.wire.received('sync-resp').length;
      await waitFor(() => client.wire.received('sync-resp').length > answered);
    }
    // 3.x fails to read the error, so it keeps its token.
    expect(server.counts.tokens > 1).toBe(generation === '5.5.0');
  });

  test('ends polling after another 4xx, until the user comes back to the tab', async () => {
    const client = await begin();
    await client.start();
    server.refuse = () => ({ status: 400, body: { code: 4000 } });
    await waitFor(() => client.wire.refusals.includes(400));
    server.refuse = undefined;
    const before = server.counts.requests;
    if (generation === '3.6.3') {
      // It fails to read the error and takes that for a lost network.
      await waitFor(() => server.counts.requests > before + 1);
      return;
    }
    await never(() => server.counts.requests > before, 500, 'it polled on');
    client.browser.focus();
    await waitFor(() => server.counts.requests > before + 1);
  });

  test('ends polling after an answer that took over 3 s, until the user comes back to the tab', async () => {
    const client = await begin();
    await client.start();
    server.refuse = () => ({ status: 200, afterMs: 3_300 });
    const before = client.wire.received('sync-resp').length;
    await waitFor(() => server.of('sync').length > before);
    server.refuse = undefined;
    await waitFor(() => client.wire.received('sync-resp').length > before);
    const requests = server.counts.requests;
    await never(() => server.counts.requests > requests, 600, 'it polled on');
    client.browser.focus();
    await server.next('sync');
  });
});

describe.each(generations)('%s and a clock that is ahead', (generation) => {
  test('loses the whole message that holds an operation from over a minute ahead, and goes on', async () => {
    const client = await open(generation);
    server.answer = (message) =>
      message.type === 'sync' ? [syncResponse(message, { operations: milk() })] : [];
    await client.start();
    await client.waitUntil((items) => items.length === 1);
    const [before, ahead, after] = [push('in one message'), push('with tomorrow'), push('after')];
    const tomorrow = (Date.now() + 86_400_000).toString(36).padStart(9, '0');
    ahead.timestamp = ahead.timestamp.slice(0, 4) + tomorrow + ahead.timestamp.slice(13);

    await expectUnhandled(/clock drift/, async () => {
      server.send({ type: 'op-re', operations: [before, ahead], replicaId: 'other' });
      server.send({ type: 'op-re', operations: [after], replicaId: 'other' });
      await client.waitUntil(([first]) => first?.tags.length);
    });
    expect((await client.list())[0]!.tags).toEqual(['after']);
    // And with that ack it says that it holds everything before.
    expect(server.of('ack').at(-1)!.timestamp).toBe(after.timestamp);
  });
});

/** The clients leave errors of this kind to the browser's console, which in Node ends a test run. */
async function expectUnhandled(message: RegExp, action: () => Promise<void>): Promise<void> {
  const listeners = process.listeners('unhandledRejection');
  const errors: unknown[] = [];
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (error) => errors.push(error));
  try {
    await action();
    await waitFor(() => errors.length > 0);
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
  for (const error of errors) expect(String(error)).toMatch(message);
}

// Told of itself first, it would fail with an error that nobody catches, and know only bob from then on.
test('5.5.0 in a view learns who else is there from an answer that tells of itself last', async () => {
  const client = await open('5.5.0', { transport: 'auto' });
  const info = (id: string, replicaId: string) => ({
    id,
    replicaId,
    profile: { id },
    presence: {},
    internal: { viewId: 'list' },
  });
  let users = ['bob'];
  server.answer = (message) => {
    if (message.type !== 'sync') return [];
    const others = users.map((id) => [id, info(id, `replica of ${id}`)] as const);
    const own = ['ana', info('ana', message.replicaId!)] as const;
    return [syncResponse(message, { peerPresence: Object.fromEntries([...others, own]) })];
  };
  await client.start();
  await waitFor(async () => Object.keys(await client.peers()).length === 1);
  users = ['bob', 'cat'];
  const syncs = server.of('sync').length;
  server.disconnect();
  await server.next('sync', syncs);
  await waitFor(async () => Object.keys(await client.peers()).length === 2);
});
