import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { fakeCore } from './testing/fake-core.js';
import { frame, handshakeLines, openClient, openRaw, startServer } from './testing/sockets.js';
import { createNodeWebsocketHandler, type NodeWebsocketOptions } from './websocket-handler.js';

const start = async (fake = fakeCore(), options: NodeWebsocketOptions = {}) => {
  const { server, port } = await startServer();
  server.on('upgrade', createNodeWebsocketHandler(fake.core, options));
  return { ...fake, server, port };
};
const eventually = (condition: () => unknown) => expect.poll(condition, { timeout: 5_000, interval: 5 });
const bodyOf = (answer: string) =>
  JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as { code: number };

describe('an upgrade', () => {
  test('[SOCK-1] is taken, with the sub-protocol Bearer', async () => {
    const { port, sessions } = await start();
    const client = openClient(port);
    await client.opened;
    expect(client.socket.protocol).toBe('Bearer');
    client.socket.send('hello');
    await eventually(() => sessions[0]?.received).toEqual(['hello']);
    sessions[0]!.transport.send('welcome');
    await eventually(() => client.messages).toEqual(['welcome']);
    client.socket.close();
    await eventually(() => sessions[0]!.closed).toBe(true);
  });

  test('[SOCK-2] is taken with the token in the query', async () => {
    const { port, sessions } = await start();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/verdant?x=1&token=good`);
    await new Promise((resolve) => socket.once('open', resolve));
    expect(socket.protocol).toBe('');
    expect(sessions.length).toBe(1);
    socket.terminate();
  });

  test('[SOCK-6] loses nothing that was sent before its token was looked at', async () => {
    let go: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { port, sessions } = await start(fakeCore({ authenticating: () => gate }));
    // In the same packet as the handshake, then in others: a client that does not wait for the answer.
    const raw = openRaw(port);
    raw.socket.write(
      Buffer.concat([
        Buffer.from(`${handshakeLines().join('\r\n')}\r\n\r\n`),
        frame('first'),
        frame('second'),
      ]),
    );
    raw.socket.write(frame('third'));
    await new Promise<void>((resolve) => raw.socket.write(frame('fourth'), () => resolve()));
    expect(sessions).toEqual([]);
    go();
    await eventually(() => sessions[0]?.received).toEqual(['first', 'second', 'third', 'fourth']);
  });

  test('[SOCK-6] loses nothing that is sent the moment it is open', async () => {
    const { port, sessions } = await start();
    const clients = Array.from({ length: 20 }, () => openClient(port));
    for (const { socket } of clients) {
      socket.once('open', () => {
        for (let i = 0; i < 200; i++) socket.send(String(i));
      });
    }
    const expected = Array.from({ length: 200 }, (_, i) => String(i));
    await eventually(() => sessions.filter(({ received }) => received.length === 200).length).toBe(20);
    for (const { received } of sessions) expect(received).toEqual(expected);
  });

  test('of which the client leaves before its token was looked at, concerns nobody', async () => {
    let go: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { port, sessions, refusedKeys, server } = await start(fakeCore({ authenticating: () => gate }));
    const raw = openRaw(port, ...handshakeLines());
    await eventually(() => raw.socket.bytesWritten).toBeGreaterThan(0);
    raw.socket.resetAndDestroy();
    await eventually(() => raw.ended).toBe(true);
    go();
    await eventually(
      () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
    ).toBe(0);
    expect(refusedKeys).toEqual([]);
    expect(sessions.every(({ closed }) => closed)).toBe(true);
  });
});

describe('with allowedOrigins', () => {
  const options = { allowedOrigins: ['https://app.test'] };

  test.each([
    ['of an allowed one', { Origin: 'https://app.test' }],
    ['without any, as of everything but browsers', {}],
  ])('[SOCK-12] an upgrade %s is taken', async (_, headers) => {
    const { port, sessions } = await start(fakeCore(), options);
    const raw = openRaw(port, ...handshakeLines(headers));
    await eventually(() => sessions.length).toBe(1);
    raw.socket.destroy();
  });

  test.each([
    ['of another', { Origin: 'https://evil.test' }],
    ['of none in particular', { Origin: 'null' }],
    [
      'of another, as the earlier protocol says it',
      {
        'Sec-WebSocket-Version': '8',
        'Sec-WebSocket-Origin': 'https://evil.test',
      },
    ],
  ])('[SOCK-12] an upgrade %s is refused before its token is looked at', async (_, headers) => {
    let asked = 0;
    const fake = fakeCore({ authenticating: async () => void asked++ });
    const { port, sessions } = await start(fake, options);
    const raw = openRaw(port, ...handshakeLines(headers));
    await eventually(() => raw.ended).toBe(true);
    expect(raw.text).toMatch(/^HTTP\/1.1 403 Forbidden/);
    expect(bodyOf(raw.text).code).toBe(4030);
    expect([asked, sessions.length]).toEqual([0, 0]);
  });

  test('an origin that no browser sends is told at start', () => {
    expect(() => createNodeWebsocketHandler(fakeCore().core, { allowedOrigins: ['app.test'] })).toThrow(
      expect.objectContaining({ code: 5010 }),
    );
  });
});

describe('an upgrade is refused', () => {
  test.each([
    ['without a token', handshakeLines({ protocols: '' }), 401, 4010],
    ['with an expired token', handshakeLines({ protocols: 'Bearer, expired' }), 401, 4012],
    ['with no token of ours', handshakeLines({ protocols: 'Bearer, x' }), 401, 4011],
    ['with a token that allows no socket', handshakeLines({ protocols: 'Bearer, push' }), 403, 4030],
    ['with a fault of the server', handshakeLines({ protocols: 'Bearer, broken' }), 500, 5000],
    ['when it is no handshake', handshakeLines({ 'Sec-WebSocket-Key': 'x' }), 400, 4000],
    ['when it is for another protocol', handshakeLines({ Upgrade: 'h2c' }), 400, 4000],
    ['when it is of another version', handshakeLines({ 'Sec-WebSocket-Version': '7' }), 400, 4000],
    ['with malformed sub-protocols', handshakeLines({ protocols: 'Bearer, good, good' }), 400, 4000],
  ])('[SOCK-4] %s', async (_, lines, status, code) => {
    const { port, refusedKeys } = await start();
    const raw = openRaw(port, ...lines);
    await eventually(() => raw.ended).toBe(true);
    expect(raw.text).toMatch(new RegExp(`^HTTP/1.1 ${status} \\w`));
    expect(raw.text.toLowerCase()).toContain('connection: close');
    expect(bodyOf(raw.text)).toEqual({ code, message: expect.any(String) });
    expect(raw.text).not.toContain('a secret');
    expect(refusedKeys.length).toBe(1);
  });

  test('[SOCK-4] [HTTP-4] by the core before it is open, as "not now" with a time', async () => {
    const refusal = new VerdantError(VerdantErrorCode.Busy, 'Draining.', { retryAfter: 7 });
    const { port } = await start(fakeCore({ refusal }));
    const raw = openRaw(port, ...handshakeLines());
    await eventually(() => raw.ended).toBe(true);
    expect(raw.text).toContain('HTTP/1.1 503 Service Unavailable\r\n');
    expect(raw.text).toContain('Retry-After: 7\r\n');
    expect(bodyOf(raw.text)).toEqual({ code: 5030, message: 'Draining.' });
  });

  test('so that a browser sees an error, and a client of Node the status', async () => {
    const { port } = await start();
    await expect(openClient(port, { token: 'expired' }).opened).rejects.toThrow('401');
  });

  test('and is held for as long as the core says', async () => {
    const { port, held } = await start(fakeCore({ holding: true }));
    const raw = openRaw(port, ...handshakeLines({ protocols: 'Bearer, x' }));
    await eventually(() => held.length).toBe(1);
    expect(raw.text).toBe('');
    held[0]!.release();
    await eventually(() => raw.ended).toBe(true);
    expect(bodyOf(raw.text)).toMatchObject({ code: 4011 });
  });

  test.each([
    ['goes', (raw: ReturnType<typeof openRaw>) => raw.socket.end()],
    ['breaks off', (raw: ReturnType<typeof openRaw>) => raw.socket.resetAndDestroy()],
  ])('and is let go when the client %s', async (_, leave) => {
    const { port, held, server } = await start(fakeCore({ holding: true }));
    const raw = openRaw(port, ...handshakeLines({ protocols: 'Bearer, x' }));
    await eventually(() => held.length).toBe(1);
    raw.socket.write('something that nobody reads');
    leave(raw);
    await eventually(() => held[0]!.left).toBe(true);
    await eventually(
      () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
    ).toBe(0);
  });

  test('[REFUSE-5] and waits with its like: those of one address and reason, and where a token merely ended, of one user', async () => {
    const { port, refusedKeys } = await start();
    const expired = (sub: string, text: string) =>
      `expired.${Buffer.from(JSON.stringify({ lib: 'lib', sub })).toString('base64url')}.${text}`;
    const tokens = ['x', 'y', expired('ana', '1'), expired('ana', '2'), expired('bob', '1'), 'push'];
    for (const token of tokens) await openClient(port, { token }).opened.catch(() => {});
    const [x, y, ended, endedAgain, endedOther, push] = refusedKeys;
    expect(x).toBe(y);
    // A client fetches a fresh token after each refusal: the next one of the same user is no new beginning.
    expect(ended).toBe(endedAgain);
    expect(new Set([x, ended, endedOther, push]).size).toBe(4);
    expect(refusedKeys.join()).not.toContain('expired');
  });
});

describe('path', () => {
  test('leaves other paths to other listeners', async () => {
    const { port, server, sessions } = await start(fakeCore(), { path: '/verdant' });
    server.on('upgrade', (request, socket) => {
      if (request.url === '/chat') socket.end('HTTP/1.1 418 Chat\r\n\r\n');
    });
    const chat = openRaw(port, ...handshakeLines({ path: '/chat' }));
    await eventually(() => chat.text).toContain('418 Chat');
    for (const path of ['/verdant', '/verdant/', '/verdant?x=y', '/verdant//?token=good']) {
      await openClient(port, { path }).opened;
    }
    expect(sessions.length).toBe(4);
  });

  test('may be the only one', async () => {
    const { port } = await start(fakeCore(), { path: '/verdant/', otherPaths: 'refuse' });
    const other = openRaw(port, ...handshakeLines({ path: '/verdant/more' }));
    await eventually(() => other.ended).toBe(true);
    expect(other.text).toContain('404');
    expect(bodyOf(other.text)).toMatchObject({ code: 4040 });
    await openClient(port, { path: '/verdant' }).opened;
  });
});

describe('a frame that is', () => {
  const limited = () => start(fakeCore({ maxMessageBytes: 100 }));

  test.each([
    ['binary', frame('x', { opcode: 2 }), 4000],
    ['no UTF-8', frame(Buffer.from([0xff, 0xfe])), 4000],
    ['too large', frame('', { length: 101 }), 4130],
    ['hugely too large', frame('', { length: 2 ** 52 }), 4130],
    [
      'too large in fragments',
      Buffer.concat([frame('x'.repeat(60), { fin: false }), frame('x'.repeat(60), { opcode: 0 })]),
      4130,
    ],
    ['of no known kind', frame('x', { opcode: 7 }), 4000],
    ['not masked', Buffer.from([0x81, 1, 120]), 4000],
  ])('[SOCK-5] [LIMIT-1] %s is refused by the core, which may hold it', async (_, bytes, code) => {
    const { port, sessions } = await limited();
    const raw = openRaw(port, ...handshakeLines());
    await eventually(() => sessions.length).toBe(1);
    raw.socket.write(frame('fine'));
    await new Promise<void>((resolve) => raw.socket.write(bytes, () => resolve()));
    await eventually(() => sessions[0]!.refused).toMatchObject([{ code }]);
    expect(sessions[0]!.received).toEqual(['fine']);
    // Until the core closes it: then with the code that the core gave.
    expect(raw.ended).toBe(false);
    const before = raw.bytes.length;
    sessions[0]!.transport.close(1008, 'no');
    await eventually(() => raw.ended || raw.bytes.length - before).toBeTruthy();
    expect([...raw.bytes.subarray(before, before + 4)]).toEqual([0x88, 4, 1008 >> 8, 1008 & 0xff]);
  });

  test('longer than any text can be is refused even without a limit', async () => {
    const { port, sessions } = await start(fakeCore({ maxMessageBytes: Number.POSITIVE_INFINITY }));
    const raw = openRaw(port, ...handshakeLines());
    await eventually(() => sessions.length).toBe(1);
    raw.socket.write(frame('', { length: 2 ** 32 }));
    await eventually(() => sessions[0]!.refused).toMatchObject([{ code: 4130 }]);
  });

  test('refused disturbs no other socket', async () => {
    const { port, sessions } = await limited();
    const other = openClient(port);
    await other.opened;
    const raw = openRaw(port, ...handshakeLines());
    await eventually(() => sessions.length).toBe(2);
    raw.socket.write(frame('', { length: 2 ** 52 }));
    await eventually(() => sessions[1]!.refused.length).toBe(1);
    other.socket.send('still here');
    await eventually(() => sessions[0]!.received).toEqual(['still here']);
  });
});

test('[LIMIT-11] a flood on one socket leaves turns to the others', async () => {
  // Each message costs a moment, as it does in the core.
  let between = 0;
  let worst = 0;
  const busy = (text: string) => {
    if (text === 'other') {
      worst = Math.max(worst, between);
      between = 0;
    } else between++;
  };
  const { port, sessions } = await start(fakeCore({ onReceive: (_, text) => busy(text) }));
  const flood = openRaw(port, ...handshakeLines());
  const other = openClient(port);
  await other.opened;
  await eventually(() => sessions.length).toBe(2);
  const many = Buffer.concat(Array.from({ length: 200_000 }, () => frame('x')));
  flood.socket.write(many);
  for (let i = 0; i < 50; i++) {
    const seen = sessions[1]!.received.length + sessions[0]!.received.length;
    other.socket.send('other');
    await eventually(() => sessions[0]!.received.length + sessions[1]!.received.length).toBeGreaterThan(seen);
  }
  await eventually(() => Math.max(...sessions.map(({ received }) => received.length))).toBe(200_000);
  // What one read of the network brings cannot be given back: 64 KiB, some 9,000 of these smallest frames.
  expect(worst).toBeLessThan(60_000);
});

test('[LIMIT-9] [LIMIT-11] pings of a peer that does not read are answered as far as it takes the answers', async () => {
  const { port, sessions } = await start();
  const raw = openRaw(port, ...handshakeLines());
  await eventually(() => sessions.length).toBe(1);
  raw.socket.pause();
  const ping = frame('x'.repeat(125), { opcode: 9 });
  // The network holds some megabytes of the answers; the rest would be ours to hold.
  raw.socket.write(Buffer.concat([...Array.from({ length: 200_000 }, () => ping), frame('end')]));
  await expect.poll(() => sessions[0]!.received, { timeout: 15_000 }).toEqual(['end']);
  expect(sessions[0]!.transport.bufferedBytes).toBeLessThan(2 * 1024 * 1024);

  raw.socket.resume();
  await eventually(() => sessions[0]!.transport.bufferedBytes).toBe(0);
  raw.socket.write(frame('still there?', { opcode: 9 }));
  await eventually(() => raw.text.endsWith('still there?')).toBe(true);
});

test('[LIMIT-14] the core is told how much there is of a message that is not whole', async () => {
  const { port, sessions } = await start();
  const raw = openRaw(port, ...handshakeLines());
  await eventually(() => sessions.length).toBe(1);
  const unfinished = () => sessions[0]!.unfinished;
  raw.socket.write(frame('x'.repeat(300_000), { fin: false }));
  await eventually(() => unfinished().last).toBe(300_014);
  // Not a part of it.
  raw.socket.write(frame('x'.repeat(100), { opcode: 9 }));
  await eventually(() => raw.text.length).toBeGreaterThan(200);
  expect(unfinished().last).toBe(300_014);
  raw.socket.write(frame('', { opcode: 0 }));
  await eventually(() => unfinished().last).toBe(0);
  expect(sessions[0]!.received).toHaveLength(1);

  raw.socket.write(frame('x'.repeat(1_000), { fin: false }));
  await eventually(() => unfinished().last).toBe(1_014);
  // Broken: nothing is gathered from here on.
  raw.socket.write(frame('again from the start'));
  await eventually(() => sessions[0]!.refused.length).toBe(1);
  expect(unfinished().last).toBe(0);
  raw.socket.write('x'.repeat(5_000));
  expect(unfinished().last).toBe(0);
});

test('[LIMIT-14] who sends on and on after a close is cut off', async () => {
  const { port, sessions } = await start(fakeCore(), { closeTimeoutMs: 60_000 });
  const raw = openRaw(port, ...handshakeLines());
  await eventually(() => sessions.length).toBe(1);
  sessions[0]!.transport.close(1013, 'enough');
  raw.socket.write(frame('x'.repeat(2 * 1024 * 1024), { fin: false }));
  await eventually(() => raw.ended).toBe(true);
});
