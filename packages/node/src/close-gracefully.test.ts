import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { closeGracefully } from './close-gracefully.js';
import { fakeCore } from './testing/fake-core.js';
import { handshakeLines, openClient, openRaw, startServer } from './testing/sockets.js';
import { createNodeWebsocketHandler } from './websocket-handler.js';

const eventually = (condition: () => unknown) => expect.poll(condition, { timeout: 5_000, interval: 5 });

test('sockets are closed by the core, held upgrades are let go, and the port is free', async () => {
  const { core, held } = fakeCore({ holding: true });
  const { server, port } = await startServer();
  server.on('upgrade', createNodeWebsocketHandler(core));
  const client = openClient(port);
  await client.opened;
  const refused = openRaw(port, ...handshakeLines({ protocols: 'Bearer, x' }));
  await eventually(() => held.length).toBe(1);
  const idle = openRaw(port);
  await eventually(() => idle.socket.connecting).toBe(false);

  await closeGracefully({ server, core });
  expect(server.listening).toBe(false);
  await eventually(() => client.closed).toEqual({ code: 1001, reason: 'The server is closing' });
  await eventually(() => refused.ended && idle.ended).toBe(true);
});

test('a peer that does not answer the close is cut off', async () => {
  const { core, sessions } = fakeCore();
  const { server, port } = await startServer();
  server.on('upgrade', createNodeWebsocketHandler(core));
  const raw = openRaw(port, ...handshakeLines());
  await eventually(() => sessions.length).toBe(1);
  await closeGracefully({ server, core });
  await eventually(() => raw.ended).toBe(true);
});

test('an answer on its way is finished, a connection that stays open then is not waited for', async () => {
  const { core } = fakeCore();
  let asked: (() => void) | undefined;
  const { server, port } = await startServer(
    createServer((_, response) => {
      asked = () => response.end('the answer');
    }),
  );
  const raw = openRaw(port, 'GET / HTTP/1.1', 'Host: localhost', 'Connection: keep-alive');
  await eventually(() => asked).toBeDefined();
  const closing = closeGracefully({ server, core });
  asked?.();
  await closing;
  await eventually(() => raw.ended).toBe(true);
  expect(raw.text).toContain('the answer');
});

test('a core that does not come to an end is not waited for', async () => {
  const { core, logged } = fakeCore();
  const { server } = await startServer();
  await closeGracefully({ server, core: { ...core, close: () => new Promise(() => {}) }, timeoutMs: 20 });
  expect(server.listening).toBe(false);
  expect(logged[0]?.[0]).toBe('warn');
});

test('a core that fails to close is told of, and the server is closed all the same', async () => {
  const { core } = fakeCore();
  const { server } = await startServer();
  const failing = { ...core, close: () => Promise.reject(new Error('disk full')) };
  await expect(closeGracefully({ server, core: failing })).rejects.toThrow('disk full');
  expect(server.listening).toBe(false);
});
