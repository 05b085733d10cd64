import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { waitFor } from '../until.js';
import { emptySync, push, type ServerMessage, set, stamp } from './messages.js';
import { founder, joiner, Peer } from './peer.js';
import { sharedCli } from './servers.js';
import { claimsFor, fresh, jwt, seconds, tokenFor } from './tokens.js';

const server = sharedCli();

test.each([10, 40, 80])(
  '[WORK-1] one operation in a library of %i sockets costs O(N) messages, acks included',
  async (n) => {
    const library = fresh();
    const peers = [await founder(server, library, 'user-0')];
    for (let i = 1; i < n; i++) peers.push(await joiner(server, library, `user-${i}`));
    await settled(peers);

    const counted = countMessages(peers);
    const operation = set('items/1', 'title', 'two');
    await peers[0]!.write(operation);
    await settled(peers, operation.timestamp);
    const total = counted();
    console.log(
      `storms: N = ${n}: ${total} messages for one operation, ${(total / n).toFixed(1)} per socket`,
    );
    // To each of the others, its ack, the writer's ack, and the new global ack to everyone: 3 N.
    expect(total).toBeGreaterThanOrEqual(2 * n);
    expect(total).toBeLessThanOrEqual(5 * n);
    for (const peer of peers) peer.close();
  },
);

test('[FOLD-2] a burst of operations among 40 acking sockets announces the global ack now and then, not for each ack', async () => {
  const n = 40;
  const burst = 30;
  const library = fresh();
  const peers = [await founder(server, library, 'user-0')];
  for (let i = 1; i < n; i++) peers.push(await joiner(server, library, `user-${i}`));
  await settled(peers);

  const counted = countMessages(peers);
  for (let i = 0; i < burst; i++) await peers[i % 3]!.write(push('items/1:tags', i));
  await settled(peers);
  const total = counted();
  console.log(
    `storms: ${burst} operations, N = ${n}: ${(total / burst / n).toFixed(1)} messages per socket and operation`,
  );
  expect(total).toBeLessThanOrEqual(5 * n * burst);
  for (const peer of peers) peer.close();
});

interface Stormer {
  /** A fresh token before each connection where the client would fetch one. */
  token(): string;
  /** What it says as soon as it is connected. */
  says(): object[];
}

const ahead = () => stamp(Date.now() + 3_600_000);
const freshSync = () => ({ ...emptySync(), resyncAll: true });

const stormers: Record<string, () => Stormer> = {
  'a token whose type allows no socket': () => honest({ type: 1 }),
  'an expired token': () => {
    const token = tokenFor(server.base, fresh(), 'late', { exp: seconds() - 3600 });
    return { token: () => token, says: () => [] };
  },
  'expired tokens, each a new one': () => {
    const library = fresh();
    return {
      token: () => tokenFor(server.base, library, 'late', { exp: seconds() - 3600, jti: fresh() }),
      says: () => [],
    };
  },
  'a token signed with a foreign key, each a new one': () => {
    const library = fresh();
    return {
      token: () =>
        jwt(claimsFor(server.base, library, 'stranger', { jti: fresh() }), { secret: 'x'.repeat(40) }),
      says: () => [],
    };
  },
  'a malformed token': () => ({ token: () => 'nonsense', says: () => [] }),
  'a clock ahead, in an op': () =>
    honest({}, () => [
      freshSync(),
      { type: 'op', timestamp: stamp(), operations: [{ ...set('items/1', 'x', 1), timestamp: ahead() }] },
    ]),
  'a clock ahead, in a sync': () =>
    honest({}, () => [{ ...freshSync(), operations: [{ ...set('items/1', 'x', 1), timestamp: ahead() }] }]),
  'a malformed message': () => honest({}, () => [{ type: 'op', operations: 'none', timestamp: 5 }]),
  'an unknown patch': () =>
    honest({}, () => [
      freshSync(),
      {
        type: 'op',
        timestamp: stamp(),
        operations: [{ oid: 'items/1', timestamp: stamp(), data: { op: 'explode' } }],
      },
    ]),
  'an op of a replica that never synced': () =>
    honest({}, () => [{ type: 'op', timestamp: stamp(), operations: [set('items/1', 'x', 1)] }]),
};

const HOLDS = 4;

test.concurrent.each(Object.keys(stormers))(
  '[REFUSE-4] refused at each reconnection makes few connections: %s',
  async (name) => {
    const storm = startStorm(stormers[name]!());
    try {
      await waitFor(() => storm.attempts.length > HOLDS, {
        deadline: 20_000,
        describe: () => `${storm.attempts.length} connections`,
      });
      const times = storm.attempts.map((time) => time - storm.attempts[0]!);
      console.log(`storms: ${name}: connections at ${times.slice(0, 6).join(', ')} ms`);
      expect(times[1], 'the first refusal costs no delay').toBeLessThan(1_000);
      // Then 1, 2, 4 s …: at most these in seven seconds, where hundreds a second were seen.
      expect(times[HOLDS], 'and each later one costs more').toBeGreaterThan(4_000);
    } finally {
      storm.stop();
    }
  },
  30_000,
);

test('[REFUSE-6] a held socket answers heartbeats, and processes nothing else', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const mallory = new Peer(server, library, 'mallory');
  const refused = async () => {
    await mallory.connect();
    mallory.raw('{"type":"op"');
  };
  // The first is not held at all, the second for a second, the third for two.
  for (let times = 0; times < 2; times++) {
    await refused();
    await mallory.ended();
  }
  await refused();
  // One that comes right behind what is refused goes with it.
  await waitFor(() => {
    if (mallory.received.length === 0) mallory.send('heartbeat');
    return mallory.received.length > 0;
  });
  mallory.sendSync();
  mallory.send('presence-update', { presence: { here: true } });
  mallory.forgetUnread();
  await mallory.fence();
  expect([...new Set(mallory.received.map(({ type }) => type))]).toEqual(['heartbeat-response']);
  expect(mallory.closed).toBeUndefined();
  await ann.fence();
  expect(ann.unread('presence-changed')).toEqual([]);
  expect((await mallory.ended()).code).toBeGreaterThanOrEqual(4000);
  ann.close();
});

test('[REFUSE-2] after a refused message nothing later of that connection is processed', async () => {
  const library = fresh();
  const ann = await founder(server, library);
  const mallory = await joiner(server, library, 'mallory');
  const bob = await joiner(server, library, 'bob');
  mallory.send('op', {
    timestamp: stamp(),
    operations: [{ ...set('items/1', 'a', 1), data: { op: 'explode' } }],
  });
  mallory.send('op', { timestamp: stamp(), operations: [set('items/1', 'b', 1)] });
  await mallory.ended();
  const marker = set('items/1', 'marker', 1);
  await bob.write(marker);
  const seen = await ann.take('op-re');
  expect(seen.operations.map(({ timestamp }) => timestamp)).toEqual([marker.timestamp]);
  expect(mallory.unread('server-ack')).toEqual([]);
  for (const peer of [ann, bob]) peer.close();
});

/** Like the real client: says all it has to say when the socket opens, and is back as soon as it is gone. */
function startStorm({ token, says }: Stormer) {
  const attempts: number[] = [];
  let stopped = false;
  let current: WebSocket | undefined;
  const id = fresh('stormer');
  const connect = () => {
    if (stopped || attempts.length > 500) return;
    attempts.push(Date.now());
    const socket = new WebSocket(`${server.base.replace('http', 'ws')}/verdant`, ['Bearer', token()]);
    current = socket;
    socket.on('open', () => {
      for (const message of says()) socket.send(JSON.stringify({ replicaId: id, ...message }));
    });
    socket.on('error', () => {});
    socket.on('close', () => setImmediate(connect));
  };
  connect();
  return {
    attempts,
    stop: () => {
      stopped = true;
      current?.terminate();
    },
  };
}

function honest(claims: object, says: () => object[] = () => [freshSync()]): Stormer {
  const library = fresh();
  const user = fresh('user');
  return { token: () => tokenFor(server.base, library, user, claims), says };
}

/** Everybody holds everything and was told so: acks are worked off, and the last global ack has come to all. */
async function settled(peers: Peer[], written = ''): Promise<void> {
  const writer = peers[0]!;
  const last = () => {
    const stamps = peers.flatMap(({ received }) => received.flatMap(timestampsOf));
    return [...stamps, written].sort().at(-1)!;
  };
  await waitFor(
    () => {
      const latest = last();
      return peers.every((peer) => latestGlobalAck(peer) >= latest);
    },
    { describe: () => `${last()}: ${peers.map(latestGlobalAck).join(', ')} (${writer.library})` },
  );
  await Promise.all(peers.map((peer) => peer.fence()));
}

const timestampsOf = (message: ServerMessage): string[] =>
  message.type === 'op-re' ? message.operations.map(({ timestamp }) => timestamp) : [];

const latestGlobalAck = ({ received }: Peer): string => {
  const last = received.findLast((message) => message.type === 'global-ack');
  return last?.timestamp ?? '';
};

/** Counts what is received and what is acked from now on; fences apart. */
function countMessages(peers: Peer[]): () => number {
  const before = peers.map(({ received }) => received.length);
  return () => {
    let total = 0;
    peers.forEach((peer, index) => {
      for (const message of peer.received.slice(before[index])) {
        if (message.type === 'heartbeat-response') continue;
        total++;
        if (message.type === 'op-re' && message.operations.length > 0) total++;
      }
    });
    return total;
  };
}
