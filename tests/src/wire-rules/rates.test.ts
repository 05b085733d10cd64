import { expect, test } from 'vitest';
import { waitFor } from '../until.js';
import { init } from './messages.js';
import { founder, Peer } from './peer.js';
import { CONTINUATION, frame, RawSocket } from './raw-socket.js';
import { composed } from './servers.js';
import { fresh, tokenFor } from './tokens.js';

/* How fast anything may come, and how much of it at once. */

const beat = frame('{"type":"heartbeat"}');
const beats = (count: number) => Buffer.concat(Array.from({ length: count }, () => beat));
const answers = ({ text }: RawSocket) => text.split('heartbeat-response').length - 1;

test('[LIMIT-12] a socket that sends too fast waits, and loses nothing', async () => {
  await composed({ limits: { maxMessagesPerSecondPerConnection: 600 } }, async (app) => {
    const flood = await RawSocket.upgraded(app.port, tokenFor(app.base, fresh(), 'bob'));
    const started = Date.now();
    flood.write(beats(10_000));
    await waitFor(() => answers(flood) === 10_000, { deadline: 30_000 });
    // 6,000 come at once, and what one read of the network brings: 2,400. The rest has to wait.
    expect(Date.now() - started).toBeGreaterThan(2_000);
    expect(flood.ended).toBe(false);
    flood.destroy();
  });
});

test('[LIMIT-12] a socket that goes on sending too fast is closed with a reason; the others go on', async () => {
  await composed({ limits: { maxMessagesPerSecondPerConnection: 200, maxSlowedSeconds: 2 } }, async (app) => {
    const library = fresh();
    const ann = await founder(app, library);
    const flood = await RawSocket.upgraded(app.port, tokenFor(app.base, library, 'bob'));
    const goOn = () => {
      if (!flood.ended) flood.write(beats(1_000));
      return flood.text.includes('sent too much');
    };
    await waitFor(goOn, { deadline: 20_000 });
    await ann.write(init('items/2', {}));
    ann.close();
    flood.destroy();
  });
});

test('[LIMIT-13] [HTTP-4] a user who sends too many requests is told to come later, and is let in then', async () => {
  await composed({ limits: { maxRequestsPerSecondPerUser: 1 } }, async (app) => {
    const ann = new Peer(app, fresh(), 'ann');
    const statuses: number[] = [];
    for (let n = 0; n < 13; n++) statuses.push((await ann.post([{ type: 'heartbeat' }])).status);
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(200));
    expect(statuses.slice(-2)).toEqual([503, 503]);
    const refused = await fetch(`${app.base}/verdant`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokenFor(app.base, 'lib', 'ann')}`, Origin: 'https://app.test' },
      body: '{"messages":[]}',
    });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBe(1);
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://app.test');
    expect(await refused.json()).toMatchObject({ code: 5030 });
    const status = async () => (await ann.post([{ type: 'heartbeat' }])).status;
    await expect.poll(status, { timeout: 5_000, interval: 400 }).toBe(200);
  });
});

test('[LIMIT-14] of one user, so many bytes of messages and bodies may be on their way', async () => {
  const MIB = 1024 * 1024;
  const limits = { maxMessageBytes: 4 * MIB, maxUnfinishedBytesPerUser: 4 * MIB };
  await composed({ limits }, async (app) => {
    const library = fresh();
    const token = tokenFor(app.base, library, 'bob');
    const [first, second] = [
      await RawSocket.upgraded(app.port, token),
      await RawSocket.upgraded(app.port, token),
    ];
    const part = 'x'.repeat(1.5 * MIB);
    first.write(frame(part, { fin: false }));
    second.write(frame(part, { fin: false }));
    const body = async (bytes: number) => {
      const response = await fetch(`${app.base}/verdant`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: `{"messages":[]}${' '.repeat(bytes)}`,
      });
      return response.status;
    };
    // When both have arrived there is room for 1 MiB.
    await expect.poll(() => body(1.2 * MIB), { timeout: 8_000 }).toBe(503);
    expect(await body(0.5 * MIB)).toBe(200);
    second.write(frame(part, { fin: false, opcode: CONTINUATION }));
    await waitFor(() => second.text.includes('under way'), { deadline: 8_000 });
    second.destroy();
    // The first may go on: what it sends is a message in the end.
    first.write(frame(part, { fin: false, opcode: CONTINUATION }));
    first.write(frame('', { opcode: CONTINUATION }));
    await waitFor(() => first.text.includes('JSON') || first.ended, { deadline: 8_000 });
    await expect.poll(() => body(3.5 * MIB), { timeout: 8_000 }).toBe(200);
    first.destroy();
  });
});
