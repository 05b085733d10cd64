import { expect, test } from 'vitest';
import { fakeCore } from './testing/fake-core.js';
import { frame, handshakeLines, openClient, openRaw, startServer } from './testing/sockets.js';
import { createNodeWebsocketHandler } from './websocket-handler.js';

const PING_MS = 25;
const eventually = (condition: () => unknown) => expect.poll(condition, { timeout: 5_000, interval: 5 });

const start = async () => {
  const { core, sessions } = fakeCore();
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

test('a peer that is not being read is not cut off for its silence', async () => {
  const { port, sessions } = await start();
  const raw = openRaw(port, ...handshakeLines());
  const other = openClient(port);
  await eventually(() => sessions.length).toBe(2);
  const paused = sessions[0]!;
  paused.transport.pause();
  let pings = 0;
  other.socket.on('ping', () => pings++);
  await eventually(() => pings).toBeGreaterThan(6);
  expect(paused.closed).toBe(false);
  paused.transport.resume();
  await eventually(() => paused.closed).toBe(true);
  expect(raw.text).toContain(PING);
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
