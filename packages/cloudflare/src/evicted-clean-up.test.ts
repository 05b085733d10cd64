import { afterAll, beforeAll, expect, test } from 'vitest';
import { Peer } from './testing/peer.js';
import { type RunningWorker, startWorker } from './testing/start-worker.js';

const AN_HOUR_MS = 3_600_000;

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.stop());

const alarmAt = (library: string) => worker.control<number | null>(library, 'alarmAt');

/** A library is evicted with a file in use, which cannot be deleted. Resolves to when (ms). */
async function evicted(library: string): Promise<number> {
  const ana = await Peer.open(worker.base, await worker.token(library, 'ana'), 'ana-1');
  await ana.start();
  await worker.upload(library, 'ana', 'f');
  const { timestamp } = ana.create('first', { image: { '@@type': 'file', id: 'f' } });
  await ana.next((message) => message.type === 'server-ack' && message.timestamp === timestamp);
  await worker.control(library, 'failDeletes');
  const at = Date.now();
  await worker.control(library, 'evict');
  return at;
}

test('an evicted file that cannot be deleted is tried again in an hour, by an alarm, though nobody comes', {
  timeout: 40_000,
}, async () => {
  const at = await evicted('gone');
  await expect.poll(() => alarmAt('gone'), { timeout: 10_000 }).toBeGreaterThan(at + AN_HOUR_MS);
  expect(await alarmAt('gone')).toBeLessThan(Date.now() + AN_HOUR_MS);
  expect(await worker.bucket()).toContain('gone/f');

  await worker.control('gone', 'allowDeletes');
  // Nothing of it is in memory when the alarm goes off.
  await worker.control('gone', 'abort').catch(() => {});
  await worker.control('gone', 'alarmNow');
  await expect.poll(() => worker.bucket(), { timeout: 10_000 }).not.toContain('gone/f');
  await expect.poll(() => alarmAt('gone'), { timeout: 10_000 }).toBeNull();
});

test('also where somebody is here again', { timeout: 40_000 }, async () => {
  const at = await evicted('used');
  const bob = await Peer.open(worker.base, await worker.token('used', 'bob'), 'bob-1');
  await bob.start();
  // Bob's token ends in a day.
  await expect.poll(() => alarmAt('used'), { timeout: 10_000 }).toBeGreaterThan(at + AN_HOUR_MS);
  expect(await alarmAt('used')).toBeLessThan(Date.now() + AN_HOUR_MS);
  expect(bob.closed).toBeNull();
});
