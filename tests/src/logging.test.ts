import { join } from 'node:path';
import { sqlShardStorage } from '@verdant-web/storage-sqlite';
import pino from 'pino';
import { expect, test } from 'vitest';
import { SECRET, temporaryFolder } from './server.js';
import { waitFor } from './until.js';
import { emptySync, init, type Operation, privateTo, set, stamp } from './wire-rules/messages.js';
import { founder, joiner, Peer } from './wire-rules/peer.js';
import { RawSocket, upgradeRequest } from './wire-rules/raw-socket.js';
import { type Composed, composed } from './wire-rules/servers.js';
import { claimsFor, encode, fresh, jwt, tokenFor } from './wire-rules/tokens.js';

/* What the log of a server under real traffic holds, at its most talkative, and what it must not. */

type Line = Record<string, unknown> & { msg: string };

/** In everything that must never be in the log. */
const MARK = 'unmistakable';
/** A marked text that is its own. */
const marked = (what: string) => `${MARK}-${what}`;

/** A server whose log is a real pino, at debug, in memory. */
async function logged(scenario: (server: Composed, lines: Line[]) => Promise<void>): Promise<Line[]> {
  const lines: Line[] = [];
  const log = pino(
    { level: 'debug' },
    { write: (line: string) => void lines.push(JSON.parse(line) as Line) },
  );
  const storage = sqlShardStorage({ databasesDirectory: join(await temporaryFolder(), 'databases'), log });
  const profiles = { get: async (id: string) => ({ id, name: marked('profile') }) };
  await composed({ log, storage, profiles }, (server) => scenario(server, lines));
  return lines;
}

const withSentence = (lines: Line[], sentence: string) => lines.filter(({ msg }) => msg === sentence);

test('lines say which library, user, replica, connection and request they are about', async () => {
  const library = fresh();
  let ann: Peer | undefined;
  let bob: Peer | undefined;
  const lines = await logged(async (server, written) => {
    ann = await founder(server, library);
    bob = await joiner(server, library);
    await ann.write(set('items/1', 'x', 1));
    const answer = await bob.post([bob.syncMessage({ since: stamp() })], {
      'X-Request-Id': 'from-the-proxy.1',
    });
    expect(answer.headers.get('x-request-id')).toBe('from-the-proxy.1');
    bob.raw('{');
    await bob.ended();
    ann.socket!.close();
    await waitFor(() => withSentence(written, 'A socket is gone.').length > 0);
  });

  const [connected] = withSentence(lines, 'A socket is connected.');
  expect(connected).toMatchObject({ libraryId: library, userId: 'ann', replicaId: null, type: 0 });
  const { connectionId, requestId } = connected!;
  expect(connectionId).toEqual(expect.stringMatching(/^[\w-]{36}$/));
  const ofAnn = { libraryId: library, userId: 'ann', replicaId: ann!.id, connectionId, requestId };
  const ofBob = { libraryId: library, userId: 'bob', replicaId: bob!.id };
  const syncs = withSentence(lines, 'A sync is answered.');
  expect(syncs[0]).toMatchObject({ ...ofAnn, outcome: 'founded', from: 2, through: 2 });
  expect(syncs[1]).toMatchObject({ ...ofBob, outcome: 'new', from: 0, through: 2 });
  expect(syncs[2]).toMatchObject({ ...ofBob, outcome: 'merged', requestId: 'from-the-proxy.1' });
  expect(withSentence(lines, 'Changes are stored.')).toMatchObject([
    { ...ofAnn, operations: 2, baselines: 0, serverOrder: 2 },
    { ...ofAnn, operations: 1, baselines: 0, serverOrder: 3 },
  ]);
  expect(withSentence(lines, 'A request is answered.')).toMatchObject([
    { requestId: 'from-the-proxy.1', method: 'POST', route: 'sync', status: 200, ms: expect.any(Number) },
  ]);
  expect(withSentence(lines, 'A socket is refused.')).toMatchObject([{ ...ofBob, level: 30, code: 4000 }]);
  expect(withSentence(lines, 'A socket is gone.')).toContainEqual(
    expect.objectContaining({ ...ofAnn, tookLeave: true }),
  );
  expect(withSentence(lines, 'A library is opened.')).toMatchObject([{ libraryId: library, operations: 0 }]);
});

test('a request without an id of its own, or with one that cannot be, is given one', async () => {
  await logged(async (server, lines) => {
    const peer = new Peer(server, fresh(), 'ann');
    for (const id of [undefined, '', 'two words', 'x'.repeat(65), 'ümlaut'].map(String)) {
      const header = encodeURIComponent(id) === id && id !== 'undefined' ? { 'X-Request-Id': id } : {};
      const { headers } = await peer.post([{ type: 'heartbeat' }], header as Record<string, string>);
      expect(headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
      expect(lines.at(-1)).toMatchObject({ requestId: headers.get('x-request-id') });
    }
  });
});

test('no token, no secret, and nothing of documents, presence, profiles and files is ever logged', async () => {
  const tokens: string[] = [];
  const lines = await logged(async (server) => {
    const library = fresh();
    const token = (user: string, more: object = {}) => {
      const made = tokenFor(server.base, library, user, more);
      tokens.push(made);
      return made;
    };
    const ann = await founder(server, library, 'ann', { token: token('ann', { role: marked('role') }) });
    const bob = await joiner(server, library, 'bob', { token: token('bob') });
    await ordinaryTraffic(ann, bob);
    await files(server, token('ann'));
    await hostileMessages(server, library, token);
    await hostileRequests(server, token);
    await hostileTokens(server, tokens);
    await server.core.get(library).evictUser('bob');
    await server.core.get(library).forceTruant(ann.id);
    await server.core.evict(library);
    for (const peer of [ann, bob]) peer.close();
  });

  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  // That there was something to find: every kind of line that this test means to provoke.
  for (const sentence of [
    'A socket is connected.',
    'A sync is answered.',
    'Changes are stored.',
    'A file is stored.',
    'A token is refused.',
    'An upgrade is refused.',
    'A request is refused.',
    'A socket is refused.',
    'A message is forbidden.',
    'An operation was refused: it would change, or grant, access to a document of somebody else.',
    'A library is evicted.',
    'A user is evicted from a library.',
  ]) {
    expect(withSentence(lines, sentence), sentence).not.toHaveLength(0);
  }
  expect(lines.filter((line) => JSON.stringify(line).includes(MARK))).toEqual([]);
  expect(text).not.toContain(SECRET);
  for (const token of tokens) {
    for (const part of token.split('.').filter(({ length }) => length > 8)) expect(text).not.toContain(part);
  }
  expect(text).not.toContain(encode(MARK));
});

async function ordinaryTraffic(ann: Peer, bob: Peer): Promise<void> {
  const authz = privateTo('ann');
  await ann.write(
    init(`items/${marked('key')}`, { id: marked('key'), title: marked('title'), list: [marked('item')] }),
    init('items/secret', { id: 'secret', title: marked('private') }, authz),
    set('items/1', marked('field'), marked('value')),
  );
  ann.send('presence-update', {
    presence: { cursor: marked('presence') },
    internal: { viewId: marked('view') },
  });
  await bob.take('presence-changed', ({ userInfo }) => JSON.stringify(userInfo).includes(MARK));
  // Not his to change.
  await bob.write(set('items/secret', 'title', marked('trespass'), authz));
  await bob.poll({ operations: [set('items/1', 'polled', marked('polled'))], since: stamp() });
}

async function files({ base }: Composed, token: string): Promise<void> {
  const form = new FormData();
  form.append('file', new File([marked('bytes')], `${marked('name')}.txt`, { type: 'text/plain' }));
  const url = `${base}/verdant/files/photo-1`;
  const headers = { Authorization: `Bearer ${token}` };
  expect((await fetch(url, { method: 'POST', headers, body: form })).status).toBe(200);
  expect((await fetch(url, { headers })).status).toBe(200);
  expect((await fetch(`${url}0?${marked('query')}`, { headers })).status).toBe(404);
  for (const type of [`multipart/form-data; boundary=${marked('boundary')}`, marked('type')]) {
    const refused = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': type },
      body: `--x\r\nContent-Disposition: form-data; name="${marked('form')}"\r\n\r\n${marked('bytes')}`,
    });
    expect(refused.status).toBe(400);
  }
}

/** Messages that are wrong in every field, with what is wrong marked. */
function wrongMessages(): object[] {
  const good: Operation = set('items/1', 'x', 1);
  const bad = marked('bad');
  const operations: unknown[] = [
    bad,
    { [bad]: bad },
    { ...good, oid: bad },
    { ...good, oid: `items/${bad}`, timestamp: bad },
    { ...good, timestamp: bad },
    { ...good, authz: [bad] },
    { ...good, authz: bad },
    { ...good, data: bad },
    { ...good, data: { op: bad } },
    { ...good, data: { op: 'initialize', value: bad } },
    { ...good, data: { op: 'list-set', index: bad, value: bad } },
    { ...good, data: { op: 'set', name: [bad], value: bad } },
    { ...good, data: { op: 'list-remove', value: bad, only: bad } },
    { ...good, data: { op: 'set', name: 'x', value: bad.repeat(200_000) } },
    { ...set('items/1', 'x', bad), timestamp: stamp(Date.now() + 3_600_000) },
  ];
  const sync = emptySync();
  return [
    ...operations.map((operation) => ({ type: 'op', timestamp: stamp(), operations: [good, operation] })),
    ...operations.map((operation) => ({ ...sync, resyncAll: true, operations: [operation] })),
    { ...sync, timestamp: bad },
    { ...sync, since: bad },
    { ...sync, schemaVersion: bad },
    { ...sync, baselines: [{ oid: 'items/1', timestamp: stamp(), snapshot: bad }] },
    { ...sync, baselines: [{ oid: bad, timestamp: bad, snapshot: { id: bad } }] },
    { type: 'ack', timestamp: bad },
    { type: 'sync-ack', timestamp: stamp(), nonce: { [bad]: bad } },
    { type: 'presence-update', presence: bad.repeat(100_000) },
    { type: 'presence-update', replicaId: [bad], presence: { bad } },
    { type: 'disconnecting', replicaId: bad.repeat(1_000), reason: bad },
    { type: bad, [bad]: bad },
  ];
}

async function hostileMessages(
  server: Composed,
  library: string,
  token: (user: string) => string,
): Promise<void> {
  const texts = [
    ...wrongMessages().map((message) => JSON.stringify({ replicaId: fresh('mallory'), ...message })),
    `{"type":"op","${marked('syntax')}`,
    `${marked('no-json')}`,
    `[${'['.repeat(2_000)}"${marked('deep')}"`,
  ];
  for (const text of texts) {
    const user = fresh('mallory');
    const socket = await new Peer(server, library, user, { token: token(user) }).connect();
    socket.raw(text);
    socket.send('heartbeat');
    // Refused, or borne.
    await waitFor(() => socket.closed ?? socket.unread('heartbeat-response').length > 0);
    socket.close();
    const response = await fetch(`${server.base}/verdant`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token(user)}` },
      body: `{"messages":[${text}]}`,
    });
    await response.text();
  }
  const reader = await new Peer(server, library, 'ben', { token: token('ben') }).connect();
  reader.raw(Buffer.from(marked('binary')));
  await reader.ended();
}

async function hostileRequests(
  server: Composed,
  token: (user: string, more?: object) => string,
): Promise<void> {
  const peer = new Peer(server, fresh(), 'ann', { token: token('reader', { type: 5 }) });
  await peer.connect();
  await peer.sync();
  // A reader may not write.
  peer.send('op', { timestamp: stamp(), operations: [set('items/1', 'x', marked('read-only'))] });
  await peer.take('forbidden');
  peer.close();
  const headers = { Authorization: `Bearer ${token('ann')}`, 'X-Request-Id': `${marked('request')} id` };
  for (const path of ['/verdant', `/verdant/${marked('path')}`, `/verdant?token=${marked('query')}`]) {
    await (await fetch(server.base + path, { method: 'POST', headers, body: marked('body') })).text();
    await (await fetch(server.base + path, { method: 'DELETE', headers })).text();
    await (await fetch(server.base + path, { method: 'POST' })).text();
  }
}

async function hostileTokens(server: Composed, tokens: string[]): Promise<void> {
  const claims = (more: object) => claimsFor(server.base, fresh(), 'ann', more);
  const bad = marked('token');
  const made = [
    bad,
    `${encode(bad)}.${encode(bad)}.${encode(bad)}`,
    `${bad}.${bad}.${bad}`,
    jwt(bad),
    jwt(claims({ type: bad })),
    jwt(claims({ sub: { bad } })),
    jwt(claims({ lib: [bad] })),
    jwt(claims({ url: bad })),
    jwt(claims({ exp: bad })),
    jwt(claims({ exp: 1, [bad]: bad })),
    jwt(claims({}), { alg: bad }),
    jwt(claims({}), { header: { kid: bad, [bad]: bad } }),
    jwt(claims({}), { secret: marked('another secret of somebody else') }),
  ];
  tokens.push(...made);
  for (const [index, token] of made.entries()) {
    const headers = { Authorization: `Bearer ${token}` };
    await (
      await fetch(`${server.base}/verdant`, { method: 'POST', headers, body: '{"messages":[]}' })
    ).text();
    const path = `/verdant?token=${encodeURIComponent(token)}`;
    for (const [way, request] of [{ path }, { protocols: `Bearer, ${token}` }].entries()) {
      const raw = await RawSocket.open(server.port, `127.0.9.${2 * index + way + 1}`);
      raw.write(upgradeRequest(request));
      await waitFor(() => raw.text.includes('\r\n\r\n'));
      raw.destroy();
    }
  }
}
