import { afterAll, beforeAll, expect, test } from 'vitest';
import { Peer } from './testing/peer.js';
import { type RunningWorker, startWorker } from './testing/start-worker.js';

const TRUANCY_MS = 18_000;
/** The one who holds back turns truant so long before the other, from whom on nobody would be waited for. */
const APART_MS = 6_000;
/** History is folded about two seconds after it may be. */
const FOLDED_MS = 4_000;

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker({ options: { replicaTruancyMinutes: TRUANCY_MS / 60_000 } });
});
afterAll(() => worker.stop());

test('[FOLD-4] an alarm has history folded when a device turns truant, though nobody comes', {
  timeout: 60_000,
}, async () => {
  const open = async (user: string) => {
    const peer = await Peer.open(worker.base, await worker.token('rest', user), `${user}-1`);
    await peer.start();
    return peer;
  };
  const leave = (peer: Peer) => {
    peer.close();
    return peer.whenClosed();
  };
  const ana = await open('ana');
  ana.create('first', { n: 0 });
  await leave(await open('bob'));
  await new Promise((resolve) => setTimeout(resolve, APART_MS));
  for (let n = 1; n <= 5; n++) ana.change('first', { op: 'set', name: 'n', value: n });
  const last = ana.change('first', { op: 'touch' });
  await ana.next(({ type, timestamp }) => type === 'server-ack' && timestamp === last);
  await leave(ana);

  // Asking for it does not open the library.
  const alarmAt = () => worker.control<number | null>('rest', 'alarmAt');
  await expect.poll(alarmAt, { timeout: 10_000 }).toBeLessThan(Date.now() + TRUANCY_MS - APART_MS / 2);
  await expect.poll(alarmAt, { timeout: 30_000, interval: 500 }).toBeNull();
  // It has gone off. To ask how far it has come would be to open the library: then it would be folded by that, but later.
  await new Promise((resolve) => setTimeout(resolve, FOLDED_MS));
  const { operationsCount } = await worker.control<{ operationsCount: number }>('rest', 'getInfo');
  expect(operationsCount).toBe(1);
});
