import { type FileInfo, type Limits, systemScheduler, type VerdantOptions } from '@verdant-web/core';
import { waitFor } from '../until.js';
import { init, op, set, stamp } from '../wire-rules/messages.js';
import { Peer } from '../wire-rules/peer.js';
import { CONTINUATION, frame, RawSocket } from '../wire-rules/raw-socket.js';
import type { Composed } from '../wire-rules/servers.js';
import { fresh, tokenFor } from '../wire-rules/tokens.js';
import { notingStorage } from './noting-storage.js';
import { StillSocket } from './still-socket.js';

/** One limit: how it is set, and how it shows that there is so much of what it bounds. */
export interface Row {
  /** What the server is given. */
  options: Partial<VerdantOptions>;
  /** As much as is allowed. */
  most: number;
  /** Makes so much of it. Resolves to whether that is taken as it is. */
  isTaken(app: Composed, amount: number): Promise<boolean>;
}

/** Rates are tried at a moment that does not pass: ten seconds' worth may come at once. */
const BURST = 10;
const MOMENT = Date.now();
const still: Partial<VerdantOptions> = { scheduler: { ...systemScheduler, now: () => MOMENT } };

/** What founds a library below its bound is written in one go. */
const noting = notingStorage();

const text = (length: number): string => 'x'.repeat(length);
const nested = (depth: number): unknown => (depth === 1 ? [] : [nested(depth - 1)]);

/** A status below 400 says yes, one of the refusals no; anything else is no answer to the question. */
const taken = (status: number, ...refusals: number[]): boolean => {
  if (status === 200) return true;
  if (refusals.includes(status)) return false;
  throw new Error(`answered with ${status}`);
};

const post = async (app: Composed, message: object, ...refusals: number[]): Promise<boolean> =>
  taken((await new Peer(app, fresh(), fresh('user')).post([message])).status, ...refusals);

const sync = (operations: unknown[], more: object = {}) => ({
  type: 'sync',
  timestamp: stamp(),
  operations,
  baselines: [],
  schemaVersion: 1,
  since: null,
  ...more,
});

/** A request with a body of this length. */
const body = async (app: Composed, bytes: number, user = fresh('user')): Promise<number> => {
  const response = await fetch(`${app.base}/verdant`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${tokenFor(app.base, fresh(), user)}` },
    body: '{"messages":[]}'.padEnd(bytes),
  });
  await response.arrayBuffer();
  return response.status;
};

const upload = async (
  app: Composed,
  bytes: number,
  { id = 'file', library = fresh(), name = 'a.txt', type = '' } = {},
) => {
  const form = new FormData();
  form.set('file', new Blob([text(bytes)], { type }), name);
  const response = await fetch(`${app.base}/verdant/files/${id}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${tokenFor(app.base, library, 'ann')}` },
    body: form,
  });
  await response.arrayBuffer();
  return response.status;
};

/** What is kept of a file that is said to be so. */
const stored = async (app: Composed, said: { name?: string; type?: string }): Promise<FileInfo> => {
  const library = fresh();
  taken(await upload(app, 10, { library, ...said }));
  const info = await app.core.get(library).getFileInfo('file');
  if (!info) throw new Error('the file is not there');
  return info;
};

/** A good token of exactly this length: base64 leaves one length in four out, which another user's name makes up for. */
const tokenOfLength = (base: string, length: number): string => {
  for (const user of ['u', 'us', 'use', 'user']) {
    for (let filler = length / 2; filler < length; filler++) {
      const token = tokenFor(base, fresh(), user, { filler: text(filler) });
      if (token.length === length) return token;
    }
  }
  throw new Error(`no token has ${length} characters`);
};

/** So many sockets, one after the other, of whoever `user` says. */
const connect = async (app: Composed, count: number, user: (at: number) => string): Promise<boolean> => {
  const library = fresh();
  try {
    for (let at = 0; at < count; at++) await StillSocket.open(app, library, user(at));
    return true;
  } catch (error) {
    return taken((error as { status: number }).status, 503);
  }
};

const inMessage = (name: keyof Limits, most: number, message: (amount: number) => object): Row => ({
  options: { limits: { [name]: most } },
  most,
  isTaken: (app, amount) => post(app, message(amount), 400),
});

/** One row for each of the options in `limits`. */
export const limitRows: Record<keyof Limits, Row> = {
  maxOperationsPerMessage: inMessage('maxOperationsPerMessage', 5, (n) =>
    sync(Array.from({ length: n }, (_, at) => set('items/1', 'n', at))),
  ),
  maxBaselinesPerMessage: inMessage('maxBaselinesPerMessage', 5, (n) =>
    sync([], {
      baselines: Array.from({ length: n }, (_, at) => ({
        oid: `items/${at}`,
        snapshot: {},
        timestamp: stamp(),
      })),
    }),
  ),
  maxOidLength: inMessage('maxOidLength', 20, (n) => sync([init(`items/${text(n - 6)}`, {})])),
  maxNameLength: inMessage('maxNameLength', 20, (n) => sync([set('items/1', text(n), 1)])),
  maxReplicaIdLength: inMessage('maxReplicaIdLength', 20, (n) => sync([], { replicaId: text(n) })),
  maxAuthzLength: inMessage('maxAuthzLength', 20, (n) => sync([init('items/1', {}, text(n))])),
  maxValueDepth: inMessage('maxValueDepth', 5, (n) => sync([set('items/1', 'deep', nested(n))])),
  maxListIndex: inMessage('maxListIndex', 20, (n) =>
    sync([op('items/1', { op: 'list-set', index: n, value: 1 })]),
  ),
  maxMessageBytes: {
    options: { limits: { maxMessageBytes: 2_000 } },
    most: 2_000,
    isTaken: async (app, bytes) => taken(await body(app, bytes), 413),
  },
  maxWholeMessageLength: {
    options: { limits: { maxWholeMessageLength: 1_000 }, storage: noting.storage },
    most: 1_000,
    isTaken: async (app, length) => {
      const ann = new Peer(app, fresh(), 'ann');
      const message = { replicaId: ann.id, ...sync([init('items/1', { text: '' })]) };
      const short = JSON.stringify({ messages: [message] }).length;
      const value = { text: text(length - short) };
      const { status } = await ann.post([{ ...message, operations: [init('items/1', value)] }]);
      const stored = await app.core.get(ann.library).getDocumentSnapshot('items', '1');
      // Beyond, it is welcome all the same.
      if (status !== 200 || JSON.stringify(stored) !== JSON.stringify(value)) throw new Error(`${status}`);
      return !noting.staged.has(ann.library);
    },
  },
  maxFileBytes: {
    options: { limits: { maxFileBytes: 1_000 } },
    most: 1_000,
    isTaken: async (app, bytes) => taken(await upload(app, bytes), 413),
  },
  maxConnectionsPerUser: {
    options: { limits: { maxConnectionsPerUser: 3 } },
    most: 3,
    isTaken: (app, count) => connect(app, count, () => 'ann'),
  },
  maxConnectionsPerLibrary: {
    options: { limits: { maxConnectionsPerLibrary: 3 } },
    most: 3,
    isTaken: (app, count) => connect(app, count, (at) => `user-${at}`),
  },
  maxSocketBufferBytes: {
    options: { limits: { maxSocketBufferBytes: 5_000 } },
    most: 5_000,
    isTaken: async (app, bytes) => {
      const socket = await StillSocket.open(app, fresh(), 'ann');
      socket.bufferedBytes = bytes;
      socket.beat(1);
      await waitFor(() => socket.sent.length === 1 || socket.closedWith);
      return socket.closedWith === undefined;
    },
  },
  maxQueuedBytesPerConnection: {
    options: { limits: { maxQueuedBytesPerConnection: 5_000 } },
    most: 5_000,
    isTaken: async (app, bytes) => {
      const socket = await StillSocket.open(app, fresh(), 'ann');
      // Each message counts 1 KiB more than its length.
      socket.session.receive('{"type":"heartbeat"}'.padEnd(bytes - 1_024));
      return !socket.isPaused;
    },
  },
  maxMessagesPerSecondPerConnection: {
    options: { limits: { maxMessagesPerSecondPerConnection: 2 }, ...still },
    most: 2 * BURST,
    isTaken: async (app, count) => {
      const socket = await StillSocket.open(app, fresh(), fresh('user'));
      socket.beat(count);
      return !socket.isPaused;
    },
  },
  maxMessagesPerSecondPerUser: {
    options: { limits: { maxMessagesPerSecondPerUser: 2 }, ...still },
    most: 2 * BURST,
    isTaken: async (app, count) => {
      const user = fresh('user');
      const [first, second] = [
        await StillSocket.open(app, fresh(), user),
        await StillSocket.open(app, fresh(), user),
      ];
      first.beat(5);
      second.beat(count - 5);
      return !second.isPaused;
    },
  },
  maxBytesPerSecondPerUser: {
    options: { limits: { maxBytesPerSecondPerUser: 100 }, ...still },
    most: 100 * BURST,
    isTaken: async (app, bytes) => {
      const user = fresh('user');
      if ((await body(app, bytes, user)) !== 200) throw new Error('the first request is taken in any case');
      return taken(await body(app, 20, user), 503);
    },
  },
  maxRequestsPerSecondPerUser: {
    options: { limits: { maxRequestsPerSecondPerUser: 1 }, ...still },
    most: 1 * BURST,
    isTaken: async (app, count) => {
      const user = fresh('user');
      let last = 0;
      for (let at = 0; at < count; at++) last = await body(app, 20, user);
      return taken(last, 503);
    },
  },
  maxSlowedSeconds: {
    options: { limits: { maxSlowedSeconds: 5, maxMessagesPerSecondPerConnection: 1 }, ...still },
    most: 5,
    isTaken: async (app, seconds) => {
      const socket = await StillSocket.open(app, fresh(), fresh('user'));
      socket.beat(BURST + seconds);
      return socket.closedWith === undefined;
    },
  },
  maxUnfinishedBytesPerUser: {
    options: { limits: { maxMessageBytes: 5_000, maxUnfinishedBytesPerUser: 5_000 } },
    most: 5_000,
    isTaken: async (app, bytes) => {
      const user = fresh('user');
      const [first, second] = [
        await StillSocket.open(app, fresh(), user),
        await StillSocket.open(app, fresh(), user),
      ];
      first.session.unfinished(1_000);
      second.session.unfinished(bytes - 1_000);
      return second.closedWith === undefined;
    },
  },
  maxHeldRefusals: {
    options: { limits: { maxHeldRefusals: 3 } },
    most: 3,
    isTaken: async ({ core }, count) => {
      let releasedAtOnce = 0;
      const ends: (() => void)[] = [];
      for (let at = 0; at < count; at++) {
        const key = fresh();
        // The first refusal costs no delay.
        core.refusals.hold(key, () => {});
        ends.push(core.refusals.hold(key, () => releasedAtOnce++));
      }
      const isHeld = releasedAtOnce === 0;
      for (const end of ends) end();
      return isHeld;
    },
  },
  maxPresenceBytes: {
    options: { limits: { maxPresenceBytes: 100 } },
    most: 100,
    isTaken: (app, bytes) =>
      post(app, { type: 'presence-update', presence: text(bytes - 4), internal: {} }, 413),
  },
  maxPresenceMessagesPerSecond: {
    options: { limits: { maxPresenceMessagesPerSecond: 50 }, ...still },
    // A fifth of a second's worth is told at once.
    most: 10,
    isTaken: async (app, count) => {
      const library = fresh();
      const [ann, bob] = [
        await StillSocket.open(app, library, 'ann'),
        await StillSocket.open(app, library, 'bob'),
      ];
      bob.beat(1);
      await waitFor(() => bob.sent.length === 1);
      for (let at = 0; at < count; at++) {
        ann.session.receive(JSON.stringify({ type: 'presence-update', replicaId: 'ann', presence: at }));
      }
      await waitFor(() => ann.sent.length === count);
      return bob.sent.length === 1 + count;
    },
  },
};

/** What else is bounded, by other options or for good. */
export const otherRows: Record<string, Row> = {
  fileQuota: {
    options: { fileQuota: 1_000 },
    most: 1_000,
    isTaken: async (app, bytes) => {
      const library = fresh();
      await upload(app, 400, { library, id: 'first' });
      return taken(await upload(app, bytes - 400, { library, id: 'second' }), 413);
    },
  },
  maxClockDrift: {
    options: { maxClockDrift: 5_000, ...still },
    most: 5_000,
    isTaken: (app, ms) => post(app, sync([{ ...init('items/1', {}), timestamp: stamp(MOMENT + ms) }]), 503),
  },
  'messages in a request': {
    options: {},
    most: 10_000,
    isTaken: async (app, count) => {
      const beats = Array.from({ length: count }, () => ({ type: 'heartbeat' }));
      return taken((await new Peer(app, fresh(), fresh('user')).post(beats)).status, 400);
    },
  },
  'characters of a user id': {
    options: {},
    most: 1_024,
    isTaken: async (app, length) => taken(await body(app, 20, text(length)), 401),
  },
  'characters of a library id': {
    options: {},
    most: 1_024,
    isTaken: async (app, length) => {
      // Each user has a budget of requests, and each library a place on the disk.
      const response = await fetch(`${app.base}/verdant`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${tokenFor(app.base, text(length), fresh('user'))}` },
        body: '{"messages":[]}',
      });
      await response.arrayBuffer();
      return taken(response.status, 401);
    },
  },
  'characters of a token': {
    options: {},
    most: 8_192,
    isTaken: async (app, length) => {
      const response = await fetch(`${app.base}/verdant`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${tokenOfLength(app.base, length)}` },
        body: '{"messages":[]}',
      });
      await response.arrayBuffer();
      return taken(response.status, 401);
    },
  },
  'characters of a file id': {
    options: {},
    most: 512,
    isTaken: async (app, length) => taken(await upload(app, 10, { id: text(length) }), 400),
  },
  'characters of the name of a file': {
    options: {},
    most: 1_024,
    isTaken: async (app, length) => (await stored(app, { name: text(length) })).name === text(length),
  },
  'characters of a media type': {
    options: {},
    most: 255,
    isTaken: async (app, length) => {
      const type = `application/${text(length - 12)}`;
      const kept = (await stored(app, { type })).type;
      if (kept !== type && kept !== 'application/octet-stream') throw new Error(`kept as ${kept}`);
      return kept === type;
    },
  },
  'replicas of a user whose presence is kept': {
    // All are told at once.
    options: { limits: { maxPresenceMessagesPerSecond: 1_000_000 } },
    most: 64,
    isTaken: async (app, count) => {
      const ann = await StillSocket.open(app, fresh(), 'ann');
      const announce = (replica: number) =>
        ann.session.receive(
          JSON.stringify({ type: 'presence-update', replicaId: `replica-${replica}`, presence: {} }),
        );
      const isTold = (replica: number) => ann.sent.some((sent) => sent.includes(`"replica-${replica}"`));
      for (let replica = 0; replica < count; replica++) announce(replica);
      await waitFor(() => isTold(count - 1));
      ann.sent.splice(0);
      // Whoever announces something is told of the user's other replicas, and then of its own.
      announce(count - 1);
      await waitFor(() => isTold(count - 1));
      return isTold(0);
    },
  },
  'fragments of a message': {
    options: {},
    most: 65_536,
    isTaken: async (app, count) => {
      const socket = await RawSocket.upgraded(app.port, tokenFor(app.base, fresh(), fresh('user')));
      const empty = frame('', { opcode: CONTINUATION, fin: false });
      const first = frame('{"type":"heartbeat"}', { fin: false });
      const last = frame('', { opcode: CONTINUATION });
      socket.write(Buffer.concat([first, ...Array<Buffer>(count - 2).fill(empty), last]));
      const isAnswered = () => socket.text.includes('heartbeat-response');
      await waitFor(() => socket.ended || isAnswered());
      socket.destroy();
      return isAnswered();
    },
  },
};
