import { afterAll, beforeAll, expect, test } from 'vitest';
import { Peer } from './testing/peer.js';
import { type RunningWorker, startWorker } from './testing/start-worker.js';

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.stop());

test('nothing wakes the object for a socket that is merely open before its token ends', async () => {
  const left = { expiresIn: String(20 * 3_600) };
  const ana = await Peer.open(worker.base, await worker.token('open', 'ana', left), 'ana-1');
  const opened = Date.now();
  await ana.start();
  const { timestamp } = ana.create('first', {});
  await ana.next((message) => message.type === 'server-ack' && message.timestamp === timestamp);
  const alarmAt = () => worker.control<number | null>('open', 'alarmAt');
  await expect.poll(alarmAt, { timeout: 10_000 }).not.toBeNull();
  expect(await alarmAt()).toBeGreaterThan(opened + 19 * 3_600_000);
});
