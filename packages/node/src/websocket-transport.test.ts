import { describe, expect, test, vi } from 'vitest';
import { fakeCore } from './testing/fake-core.js';
import { handshakeLines, openClient, openRaw, startServer } from './testing/sockets.js';
import { createNodeWebsocketHandler, type NodeWebsocketOptions } from './websocket-handler.js';

const eventually = (condition: () => unknown) => expect.poll(condition, { timeout: 5_000, interval: 5 });

/** One connected client, and the transport on the server's side of it. */
const connected = async (options: NodeWebsocketOptions = {}) => {
  const { core, sessions } = fakeCore();
  const { server, port } = await startServer();
  server.on('upgrade', createNodeWebsocketHandler(core, options));
  const client = openClient(port);
  await client.opened;
  return { client, session: sessions[0]!, transport: sessions[0]!.transport, port, sessions };
};

async function* pieces(...texts: string[]) {
  yield* texts;
}

describe('a stream', () => {
  test('[SOCK-9] arrives as one message', async () => {
    const { client, transport } = await connected();
    const text = '☀é😀'.repeat(100_000);
    const characters = Array.from({ length: 100 }, (_, i) => text.slice(i * 4_000, (i + 1) * 4_000));
    await transport.stream(pieces('[', ...characters, '', ']'));
    await eventually(() => client.messages.length).toBe(1);
    expect(client.messages[0]).toBe(`[${text}]`);
  });

  test('of nothing is an empty message', async () => {
    const { client, transport } = await connected();
    await transport.stream(pieces());
    await eventually(() => client.messages).toEqual(['']);
  });

  test('[SOCK-9] keeps its place among messages and other streams', async () => {
    const { client, transport } = await connected();
    let go: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    async function* slow() {
      yield 'slow ';
      await gate;
      yield 'stream';
    }
    transport.send('1');
    const streams = [transport.stream(slow())];
    transport.send('2');
    streams.push(transport.stream(pieces('second ', 'stream')));
    transport.send('3');
    expect(transport.bufferedBytes).toBeGreaterThan(0);
    go();
    await Promise.all(streams);
    await eventually(() => client.messages).toEqual(['1', 'slow stream', '2', 'second stream', '3']);
    expect(transport.bufferedBytes).toBe(0);
  });

  test('takes its pieces only as the network takes them', async () => {
    const { client, transport } = await connected();
    client.socket.pause();
    let made = 0;
    async function* many() {
      for (; made < 1_000; made++) yield 'x'.repeat(100_000);
    }
    const done = transport.stream(many());
    await eventually(() => transport.bufferedBytes).toBeGreaterThan(200_000);
    const before = made;
    await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBeLessThan(500);
    expect(made - before).toBeLessThan(5);
    client.socket.resume();
    await done;
    await eventually(() => client.messages[0]?.length).toBe(100_000_000);
  });

  test('is given up when the client leaves, and its making ended', async () => {
    const { client, transport } = await connected();
    client.socket.pause();
    const ended = vi.fn();
    async function* endless() {
      try {
        for (;;) yield 'x'.repeat(100_000);
      } finally {
        ended();
      }
    }
    const done = transport.stream(endless()).catch((error) => error);
    const behind = transport.stream(pieces('never')).catch((error) => error);
    await eventually(() => transport.bufferedBytes).toBeGreaterThan(200_000);
    client.socket.terminate();
    expect(await done).toBeInstanceOf(Error);
    expect(await behind).toBeInstanceOf(Error);
    expect(ended).toHaveBeenCalledOnce();
  });

  test('that fails closes the socket, and leaves no half message to be read', async () => {
    const { client, transport } = await connected();
    async function* failing() {
      yield 'half';
      throw new Error('disk full');
    }
    await expect(transport.stream(failing())).rejects.toThrow('disk full');
    transport.send('nothing is sent after that');
    await eventually(() => client.closed).toMatchObject({ code: 1011 });
    expect(client.messages).toEqual([]);
  });

  test('on a socket that is gone is given up', async () => {
    const { client, transport, session } = await connected();
    client.socket.terminate();
    await eventually(() => session.closed).toBe(true);
    await expect(transport.stream(pieces('x'))).rejects.toThrow();
    expect(() => transport.send('x')).not.toThrow();
    expect(() => transport.close(1000, '')).not.toThrow();
    expect(() => transport.pause()).not.toThrow();
    expect(() => transport.resume()).not.toThrow();
  });
});

describe('closing', () => {
  test('tells code and reason, the reason cut to what a frame holds', async () => {
    const { client, transport } = await connected();
    transport.send('last');
    transport.close(4000, 'é'.repeat(100));
    transport.send('too late');
    await eventually(() => client.closed).toEqual({ code: 4000, reason: 'é'.repeat(61) });
    expect(client.messages).toEqual(['last']);
  });

  test('with a code that the protocol has for broken frames', async () => {
    const { client, transport, session } = await connected();
    transport.close(1008, 'policy');
    await eventually(() => client.closed).toEqual({ code: 1008, reason: 'policy' });
    expect(session.refused).toEqual([]);
  });

  test('does not wait for ever for a peer that does not answer', async () => {
    const { port, sessions } = await connected({ closeTimeoutMs: 50 });
    const raw = openRaw(port, ...handshakeLines());
    await eventually(() => sessions.length).toBe(2);
    sessions[1]!.transport.close(1000, 'bye');
    await eventually(() => raw.ended).toBe(true);
    await eventually(() => sessions[1]!.closed).toBe(true);
  });

  test('works on a socket that is not being read', async () => {
    const { client, transport } = await connected();
    transport.pause();
    transport.close(1000, 'bye');
    await eventually(() => client.closed).toMatchObject({ code: 1000 });
  });
});

test('pause stops the reading, resume goes on with it', async () => {
  const { client, transport, session } = await connected();
  client.socket.send('1');
  await eventually(() => session.received.length).toBe(1);
  transport.pause();
  // More than all buffers on the way can hold.
  const total = 3_000;
  let unsent = total;
  for (let i = 0; i < total; i++) client.socket.send('x'.repeat(10_000), () => unsent--);
  await eventually(() => client.socket.bufferedAmount).toBeGreaterThan(1_000_000);
  const read = session.received.length;
  expect(read).toBeLessThan(total / 2);
  transport.resume();
  await eventually(() => session.received.length).toBe(total + 1);
  await eventually(() => unsent).toBe(0);
});
