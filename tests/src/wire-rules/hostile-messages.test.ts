import { describe, expect, test } from 'vitest';
import { undisturbed } from './bystanders.js';
import { documentsOf } from './documents.js';
import { fileRef, init, type Operation, op, ref, set, stamp } from './messages.js';
import { founder, joiner, Peer, type Posted, readBody } from './peer.js';
import { RandomJson } from './random-json.js';
import { sharedCli } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* Whatever a message holds: a clear error, or nothing where the protocol says so, and nobody else is disturbed. */
const server = sharedCli();
const SEED = Number(process.env.HOSTILE_SEED ?? 20_260_730);

const messages = (): Record<string, Record<string, unknown>> => ({
  sync: {
    type: 'sync',
    replicaId: fresh('hostile'),
    timestamp: stamp(),
    operations: [set('items/1', 'x', 1)],
    baselines: [{ oid: 'items/1', timestamp: stamp(), snapshot: { id: '1' } }],
    schemaVersion: 1,
    since: stamp(),
    resyncAll: false,
  },
  op: { type: 'op', replicaId: fresh('hostile'), timestamp: stamp(), operations: [set('items/1', 'x', 1)] },
  ack: { type: 'ack', replicaId: fresh('hostile'), timestamp: stamp() },
  'sync-ack': { type: 'sync-ack', replicaId: fresh('hostile'), timestamp: stamp(), nonce: 'n' },
  'presence-update': { type: 'presence-update', replicaId: fresh('hostile'), presence: {}, internal: {} },
  disconnecting: { type: 'disconnecting', replicaId: fresh('hostile'), reason: 'r' },
});

const texts: unknown[] = [7, true, {}, [], [[]]];
const timestamps = [
  ...texts,
  'x',
  '',
  'é'.repeat(24),
  '0001ZZZZZZZZZ0000wirerul',
  `${stamp()}x`,
  ' '.repeat(24),
];
const lists: unknown[] = [7, 'x', true, {}, { length: 3 }];
/** For each field, what it can never be. */
const wrong: Record<string, Record<string, unknown[]>> = {
  sync: {
    replicaId: [...texts, null, undefined, '', 'r'.repeat(10_000)],
    timestamp: [...timestamps, null, undefined],
    operations: [...lists, null, undefined, [null], [7], ['x'], [[]]],
    baselines: [...lists, [null], [7], [[]], [{}]],
    schemaVersion: ['x', {}, []],
    since: timestamps.filter((value) => value !== ''),
    resyncAll: ['yes', 7, {}, []],
  },
  op: {
    replicaId: [...texts, null, undefined, ''],
    timestamp: [...timestamps, null, undefined],
    operations: [...lists, null, undefined, [null], [7], [[]], [{}]],
  },
  ack: { replicaId: [...texts, null, undefined, ''], timestamp: [...timestamps, null, undefined] },
  'sync-ack': { replicaId: [...texts, null, undefined, ''] },
  'presence-update': { replicaId: [...texts, null, undefined, ''] },
  disconnecting: { replicaId: [...texts, null, undefined, ''] },
};
const fine = (): Operation => set('items/1', 'x', 1);
const wrongOperations: Record<string, unknown> = {
  'no oid': { ...fine(), oid: undefined },
  'an oid without collection': { ...fine(), oid: '/1' },
  'an oid without key': { ...fine(), oid: 'items' },
  'a number as oid': { ...fine(), oid: 7 },
  'an oid of 10 kB': { ...fine(), oid: `items/${'x'.repeat(10_000)}` },
  'no timestamp': { ...fine(), timestamp: undefined },
  'a malformed timestamp': { ...fine(), timestamp: '2024-01-01T00:00:00.000Z' },
  'no data': { ...fine(), data: undefined },
  'a list as data': { ...fine(), data: [] },
  'a number as authz': { ...fine(), authz: 7 },
  'an unknown patch': op('items/1', { op: 'explode' }),
  'a patch named like a method': op('items/1', { op: 'toString' }),
  'a patch named __proto__': op('items/1', { op: '__proto__' }),
  'an initialize without value': op('items/1', { op: 'initialize' }),
  'an initialize with text': op('items/1', { op: 'initialize', value: 'x' }),
  'an initialize nested 100 deep': init('items/1', nested(100)),
  'a set without name': op('items/1', { op: 'set', value: 1 }),
  'a set with a name of 10 kB': set('items/1', 'x'.repeat(10_000), 1),
  'a list-set with text as index': op('items/1', { op: 'list-set', index: 'x', value: 1 }),
  'a list-set at 1e15': op('items/1', { op: 'list-set', index: 1e15, value: 1 }),
  'a list-insert without index': op('items/1', { op: 'list-insert', value: 1 }),
  'a list-insert of values that are no list': op('items/1', { op: 'list-insert', index: 0, values: 7 }),
  'a list-delete without count': op('items/1', { op: 'list-delete', index: 0 }),
  'a list-delete with half a count': op('items/1', { op: 'list-delete', index: 0, count: 0.5 }),
  'a list-move-by-index without to': op('items/1', { op: 'list-move-by-index', from: 0 }),
  'a list-move-by-ref of text': op('items/1', { op: 'list-move-by-ref', index: 0, value: 'x' }),
  'a list-remove only of the second': op('items/1', { op: 'list-remove', value: 1, only: 'second' }),
};

const isErrorObject = (body: unknown) =>
  expect(body).toEqual({ code: expect.any(Number) as number, message: expect.any(String) as string });

describe('[MSG-1] [REFUSE-1] [REFUSE-3] a field of a wrong type refuses its message: 400 over HTTP, a close with code and reason on a socket', () => {
  test.each(Object.keys(wrong))('%s', (type) =>
    undisturbed(server, async (library) => {
      for (const [field, values] of Object.entries(wrong[type]!)) {
        for (const value of values) {
          const message = { ...messages()[type], [field]: value };
          const what = `${field} = ${JSON.stringify(value)?.slice(0, 60)}`;
          await expectRefused(library, message, what);
        }
      }
    }),
  );

  test('operations', () =>
    undisturbed(server, async (library) => {
      for (const [what, operation] of Object.entries(wrongOperations)) {
        await expectRefused(library, { ...messages().op, operations: [fine(), operation] }, what);
      }
    }));
});

async function expectRefused(library: string, message: object, what: string): Promise<void> {
  const http = await new Peer(server, library, fresh('http')).post([message]);
  expect(http.status, what).toBe(400);
  isErrorObject(http.body);
  const socket = await new Peer(server, library, fresh('socket')).connect();
  socket.raw(JSON.stringify(message));
  const { code, reason } = await socket.ended();
  expect(code, what).toBe(4000);
  expect(reason.length, what).toBeGreaterThan(10);
}

test('[MSG-2] an unknown type of message is ignored over both transports, also when it is named like a method', () =>
  undisturbed(server, async (library) => {
    for (const type of ['from-the-future', 'toString', '__proto__', 'constructor', '', '\ud800']) {
      const peer = new Peer(server, library, fresh('new'));
      const { status, messages: answers } = await peer.post([{ type, operations: 7 }, { type: 'heartbeat' }]);
      expect({ status, answers }).toEqual({ status: 200, answers: [{ type: 'heartbeat-response' }] });
      await peer.connect();
      peer.send(type, { operations: 7 });
      await peer.fence();
      peer.close();
    }
  }));

test(`[REFUSE-3] random messages over HTTP are answered 200, 400 or 503 and never break anything (seed ${SEED})`, () =>
  undisturbed(server, async (library) => {
    const random = new RandomJson(SEED);
    const statuses = new Set<number>();
    for (let round = 0; round < 400; round++) {
      const body =
        round % 3 === 0
          ? random.value()
          : { messages: [random.spoilt(random.pick(Object.values(messages()))), random.value()] };
      const peer = new Peer(server, library, fresh('random'));
      const { status, body: answer } = await postRaw(peer, JSON.stringify(body));
      statuses.add(status);
      expect([200, 400, 503], `round ${round}: ${JSON.stringify(answer)}`).toContain(status);
      if (status !== 200) isErrorObject(answer);
    }
    expect([...statuses]).toContain(400);
  }));

test(`[REFUSE-3] random messages on sockets are ignored or end the socket with a code (seed ${SEED})`, () =>
  undisturbed(server, async (library) => {
    const random = new RandomJson(SEED + 1);
    for (let round = 0; round < 150; round++) {
      const peer = await new Peer(server, library, fresh('random')).connect();
      const message = round % 2 ? random.value() : random.spoilt(random.pick(Object.values(messages())));
      peer.raw(JSON.stringify(message));
      peer.raw('{"type":"heartbeat"}');
      await Promise.race([peer.take('heartbeat-response').catch(() => {}), peer.ended()]);
      if (peer.closed)
        expect([1000, 1013, 4000, 4030], JSON.stringify(message).slice(0, 300)).toContain(peer.closed.code);
      peer.close();
    }
  }));

test('[HTTP-2] JSON that is cut off anywhere is refused', () =>
  undisturbed(server, async (library) => {
    const text = JSON.stringify({ messages: [messages().sync] });
    const whole = JSON.stringify(messages().sync);
    for (let end = 0; end < text.length; end += 7) {
      const { status, body } = await postRaw(new Peer(server, library, fresh('cut')), text.slice(0, end));
      expect(status, text.slice(0, end)).toBe(400);
      isErrorObject(body);
    }
    for (let end = 0; end < whole.length; end += 31) {
      const peer = await new Peer(server, library, fresh('cut')).connect();
      peer.raw(whole.slice(0, end));
      expect((await peer.ended()).code).toBe(4000);
    }
  }));

test.each([
  ['lists', '['.repeat(200_000)],
  ['objects', '{"a":'.repeat(200_000)],
  ['lists that are closed', '['.repeat(200_000) + ']'.repeat(200_000)],
])('[LIMIT-3] JSON that is nested 200,000 deep is refused: %s', (_, text) =>
  undisturbed(server, async (library) => {
    const { status, body } = await postRaw(
      new Peer(server, library, fresh('deep')),
      `{"messages":[${text}]}`,
    );
    expect(status).toBe(400);
    isErrorObject(body);
    const peer = await new Peer(server, library, fresh('deep')).connect();
    peer.raw(`{"type":"op","replicaId":"x","operations":${text}}`);
    expect((await peer.ended()).code).toBe(4000);
  }),
);

test('[REFUSE-3] numbers beyond all bounds are refused or mean what JSON says, and break nothing', () =>
  undisturbed(server, async (library) => {
    for (const number of ['1e999', '-1e999', '1e-999', '123456789012345678901234567890', '-0', '0.1e1']) {
      const text = JSON.stringify({ messages: [messages().op] }).replace('"value":1', `"value":${number}`);
      const { status } = await postRaw(new Peer(server, library, fresh('number')), text);
      expect([200, 400, 503]).toContain(status);
      const peer = await joiner(server, library, fresh('number'));
      peer.raw(
        `{"type":"op","replicaId":"${peer.id}","timestamp":"${stamp()}","operations":[{"oid":"items/1","timestamp":"${stamp()}","data":{"op":"set","name":"n","value":${number}}}]}`,
      );
      await Promise.race([peer.take('server-ack').catch(() => {}), peer.ended()]);
      peer.close();
    }
  }));

describe('names that JavaScript knows', () => {
  const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'length'];

  test('[NAME-6] are fields like others, live and after folding', async () => {
    const library = fresh();
    const ann = await founder(server, library);
    const bob = await joiner(server, library);
    const operations = NAMES.flatMap((name) => [
      init(`items/${name}`, { id: name }),
      set(`items/${name}`, name, 'value'),
      init(`${name}/1`, { id: '1', nested: ref(`${name}/1:${name}`), file: fileRef(name) }),
    ]);
    for (const operation of operations) await ann.write(operation);
    for (let i = 0; i < 12; i++) await ann.write(set('items/1', 'n', i));
    await bob.fence();
    const live = bob.received.flatMap((message) => (message.type === 'op-re' ? message.operations : []));
    expect(live.filter(({ data }) => data.op !== 'set' || NAMES.includes(String(data.name)))).toEqual(
      operations,
    );
    // Folded: what is told to a newcomer then is the same.
    // Each newcomer holds folding back until it leaves, so there is a second between them.
    let answer = await firstSync(library);
    await expect
      .poll(
        async () => {
          answer = await firstSync(library);
          return answer.operations.length;
        },
        { timeout: 10_000, interval: 1_000 },
      )
      .toBeLessThanOrEqual(5);
    const documents = documentsOf(answer);
    for (const name of NAMES) {
      const document = documents[`items/${name}`] as object;
      expect(Object.getOwnPropertyDescriptor(document, name)?.value, name).toBe('value');
      expect(documents[`${name}/1`]).toMatchObject({ id: '1' });
    }
    for (const peer of [ann, bob]) peer.close();
  });

  test.each(NAMES)('[NAME-5] may be the id of user, replica and library: %s', async (name) => {
    const ann = await new Peer(server, name, name, { id: name }).connect();
    ann.acking();
    await ann.sync({ operations: [init('items/1', { id: '1' })] });
    ann.send('presence-update', { presence: { [name]: 1 } });
    await ann.take('presence-changed');
    const bob = await new Peer(server, name, fresh('bob')).connect();
    const { peerPresence, operations } = await bob.sync();
    expect(operations.length).toBeGreaterThan(0);
    expect(Object.getOwnPropertyDescriptor(peerPresence, name)?.value).toMatchObject({
      id: name,
      replicaId: name,
    });
    for (const peer of [ann, bob]) peer.close();
  });
});

test('[NAME-6] lone surrogates, NUL and emoji in values, names and ids come back as they went, live and from the store', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const bob = await joiner(server, library);
  for (const text of [
    '\ud800',
    '\udc00 \ud83d',
    'a\u0000b',
    '💚',
    '\u2028\u2029',
    '\ufeff',
    '"\\/\b\f\n\r\t',
  ]) {
    const operation = set(`items/${text}`, text, [text, { [text]: text }]);
    const first = init(`items/${text}`, { [text]: text });
    await ann.write(first, operation);
    expect((await bob.take('op-re')).operations).toEqual([first, operation]);
    const cem = await new Peer(server, library, fresh('cem'), { type: 5 }).connect();
    const { operations, baselines } = await cem.sync();
    const stored = [...operations, ...baselines].filter(({ oid }) => oid === `items/${text}`);
    expect(stored.length).toBeGreaterThan(0);
    cem.close();
  }
  for (const peer of [ann, bob]) peer.close();
});

async function firstSync(library: string) {
  const reader = await new Peer(server, library, fresh('reader'), { type: 5 }).connect();
  const answer = await reader.sync();
  reader.close();
  return answer;
}

async function postRaw(peer: Peer, body: string): Promise<Pick<Posted, 'status' | 'body'>> {
  const response = await fetch(`${server.base}/verdant`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${tokenFor(server.base, peer.library, peer.user)}`,
    },
    body,
  });
  return { status: response.status, body: await readBody(response) };
}

function nested(depth: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < depth; level++) value = { value };
  return value;
}
