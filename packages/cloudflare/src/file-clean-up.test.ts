import { afterAll, beforeAll, expect, test } from 'vitest';
import { Peer } from './testing/peer.js';
import { type RunningWorker, startWorker } from './testing/start-worker.js';

const EXPIRY_MS = 5_000;

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker({ options: { fileDeleteExpirationDays: EXPIRY_MS / 86_400_000 } });
});
afterAll(() => worker.stop());

let libraries = 0;

/** Makes a library with a file that nothing refers to any more, and nobody there, at this time (ms). */
async function released(): Promise<{ library: string; key: string; at: number }> {
  const library = `library-${++libraries}`;
  const ana = await Peer.open(worker.base, await worker.token(library, 'ana'), 'ana-1');
  await ana.start();
  await worker.upload(library, 'ana', 'f');
  ana.create('first', { image: { '@@type': 'file', id: 'f' } });
  ana.change('first', { op: 'set', name: 'image', value: null });
  // Once that is folded, nothing refers to the file, which is when it is released. The very last change is not folded.
  const last = ana.change('first', { op: 'touch' });
  await ana.next((message) => message.type === 'global-ack' && (message.timestamp as string) >= last);
  const at = Date.now();
  ana.close();
  await ana.whenClosed();
  return { library, key: `${library}/f`, at };
}

const isInBucket = async (key: string) => (await worker.bucket()).includes(key);

test('a file that nothing refers to is deleted in time, by an alarm, though nobody comes', async () => {
  const { key } = await released();
  expect(await isInBucket(key)).toBe(true);
  await expect.poll(() => isInBucket(key), { timeout: 15_000 }).toBe(false);
});

test('one that cannot be deleted is tried again in an hour', { timeout: 40_000 }, async () => {
  const { library, key, at } = await released();
  await worker.control(library, 'failDeletes');
  const anHour = 3_600_000;
  await expect
    .poll(() => worker.control<number>(library, 'alarmAt'), { timeout: 20_000 })
    .toBeGreaterThan(at + anHour);
  expect(await worker.control<number>(library, 'alarmAt')).toBeLessThan(Date.now() + anHour + 10_000);
  expect(await isInBucket(key)).toBe(true);
  expect(worker.errors.join()).toContain('A file could not be deleted; it will be tried again.');
});

test('the next alarm is set before one is over', {
  timeout: 40_000,
}, async () => {
  const { library, at } = await released();
  await worker.control(library, 'failDeletes');
  const alarmsAfter = () => worker.control<(number | null)[]>(library, 'alarmsAfter');
  // Asking for it keeps the object in memory.
  await expect.poll(alarmsAfter, { timeout: 20_000, interval: 500 }).not.toEqual([]);
  expect((await alarmsAfter())[0]).toBeGreaterThan(at + 3_600_000);
});
