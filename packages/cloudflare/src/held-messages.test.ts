import { afterAll, beforeAll, expect, test } from 'vitest';
import { hibernates, lifeOf } from './testing/hibernates.js';
import { Peer } from './testing/peer.js';
import { type RunningWorker, startWorker } from './testing/start-worker.js';

const BYTES_PER_SECOND = 1_000;
/** Ten seconds' worth may come at once. What comes after this is not read for forty seconds: until then, the object sleeps. */
const LENGTH = 50 * BYTES_PER_SECOND;

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker({ options: { limits: { maxBytesPerSecondPerUser: BYTES_PER_SECOND } } });
});
afterAll(() => worker.stop());

const join = async () => Peer.open(worker.base, await worker.token('slow', 'ana'), 'ana-1');

test('who sent what was not read before the object left memory is told to sync again', {
  timeout: 90_000,
}, async () => {
  const ana = await join();
  await ana.start();
  const read = ana.create('long', { text: 'x'.repeat(LENGTH) });
  await ana.next(({ type, timestamp }) => type === 'server-ack' && timestamp === read.timestamp);
  const held = ana.create('held', { text: 'y' });
  await hibernates(worker, 'slow', await lifeOf(worker, 'slow'));
  expect(await ana.whenClosed()).toMatchObject({ code: 1012 });
  expect(ana.received).not.toContainEqual(expect.objectContaining({ timestamp: held.timestamp }));

  const again = await join();
  await again.start();
  const sent = again.create('held', { text: 'y' });
  await again.next(({ type, timestamp }) => type === 'server-ack' && timestamp === sent.timestamp);
});
