import { describe, expect, test } from 'vitest';
import { type FakeCoreOptions, fakeCore } from './testing/fake-core.js';
import {
  frame,
  handshakeLines,
  openClient,
  openRaw,
  type RawClient,
  startServer,
} from './testing/sockets.js';
import { createNodeWebsocketHandler } from './websocket-handler.js';

const PING_MS = 25;
const eventually = (condition: () => unknown) => expect.poll(condition, { timeout: 5_000, interval: 5 });

const start = async (options: FakeCoreOptions = {}) => {
  const { core, sessions } = fakeCore(options);
  const { server, port } = await startServer();
  server.on('upgrade', createNodeWebsocketHandler(core, { pingIntervalMs: PING_MS }));
  return { port, sessions };
};
const countOf = (text: string, wanted: string) => text.split(wanted).length - 1;
const PING = '\x89\x00';

test('[SOCK-8] a peer that misses two pongs is cut off', async () => {
  const { port, sessions } = await start();
  const raw = openRaw(port, ...handshakeLines());
  await eventually(() => sessions[0]?.closed).toBe(true);
  await eventually(() => raw.ended).toBe(true);
  expect(countOf(raw.text, PING)).toBe(2);
});

test('peers that answer stay', async () => {
  const { port, sessions } = await start();
  const client = openClient(port);
  let pings = 0;
  client.socket.on('ping', () => pings++);
  await eventually(() => pings).toBeGreaterThan(6);
  expect(sessions[0]!.closed).toBe(false);
});

test('[SOCK-8] a peer that sends, but does not answer pings, stays for as long as it sends', async () => {
  const { port, sessions } = await start();
  const raw = openRaw(port, ...handshakeLines());
  const sending = setInterval(() => raw.socket.write(frame('x')), PING_MS / 3);
  await eventually(() => countOf(raw.text, PING)).toBeGreaterThan(5);
  expect(sessions[0]!.closed).toBe(false);
  clearInterval(sending);
  await eventually(() => sessions[0]!.closed).toBe(true);
});

describe('of a peer that is not being read', () => {
  /** One whose socket is paused, and what is done at each ping that another one gets. */
  const startPaused = async (options?: FakeCoreOptions) => {
    const { port, sessions } = await start(options);
    const raw = openRaw(port, ...handshakeLines());
    await eventually(() => sessions.length).toBe(1);
    const paused = sessions[0]!;
    const other = openClient(port);
    await eventually(() => sessions.length).toBe(2);
    paused.transport.pause();
    const closedAt: boolean[] = [];
    other.socket.on('ping', () => closedAt.push(paused.closed));
    return { raw, paused, other, closedAt };
  };

  test('a short silence says nothing', async () => {
    const { raw, paused, closedAt } = await startPaused();
    await eventually(() => closedAt.length).toBeGreaterThan(6);
    expect(closedAt.slice(0, 6)).toEqual(Array(6).fill(false));
    paused.transport.resume();
    await eventually(() => paused.closed).toBe(true);
    expect(raw.ended).toBe(true);
  });

  test.each([
    ['vanished', (raw: RawClient) => raw.socket.pause()],
    // More than is read ahead, so that the end of it does not show.
    [
      'left, with much that is still to be read,',
      (raw: RawClient) => raw.socket.end(frame('x'.repeat(900_000))),
    ],
  ])('[SOCK-8] a long one cuts it off: one that %s does not stay for ever', async (_, leave) => {
    const { raw, paused, closedAt } = await startPaused();
    leave(raw);
    await eventually(() => paused.closed).toBe(true);
    expect(closedAt.filter((closed) => !closed).length).toBeGreaterThan(6);
  });

  test('it stays where it is read now and then', async () => {
    const { raw, paused, other, closedAt } = await startPaused({
      onReceive: ({ transport }) => transport.pause(),
    });
    other.socket.on('ping', () => {
      if (closedAt.length % 4) return;
      raw.socket.write(frame('x'));
      paused.transport.resume();
    });
    await eventually(() => closedAt.length).toBeGreaterThan(24);
    expect(closedAt).not.toContain(true);
    expect(paused.received.length).toBeGreaterThan(3);
  });
});

test('[SOCK-8] a peer that takes nothing of a long message is cut off, one that takes it slowly is not', async () => {
  const { port, sessions } = await start();
  async function* endless() {
    for (;;) yield 'x'.repeat(50_000);
  }
  const stuck = openRaw(port, ...handshakeLines());
  await eventually(() => sessions.length).toBe(1);
  const slow = openRaw(port, ...handshakeLines());
  await eventually(() => sessions.length).toBe(2);
  const streams = sessions.map(({ transport }) => transport.stream(endless()).catch(() => 'given up'));
  stuck.socket.pause();
  const sip = setInterval(() => {
    slow.socket.resume();
    setImmediate(() => slow.socket.pause());
  }, PING_MS / 2);
  await eventually(() => sessions[0]!.closed).toBe(true);
  expect(await streams[0]).toBe('given up');
  expect(sessions[1]!.closed).toBe(false);
  clearInterval(sip);
});
