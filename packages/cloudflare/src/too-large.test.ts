import { afterAll, beforeAll, expect, test } from 'vitest';
import { Peer } from './testing/peer.js';
import { type RunningWorker, startWorker } from './testing/start-worker.js';

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.stop());

test('[FOLD-15] an object that no row can hold does not keep the rest of its library from being folded', async () => {
  const ana = await Peer.open(worker.base, await worker.token('large', 'ana'), 'ana-1');
  await ana.start();
  const half = 'x'.repeat(1_000_000);
  ana.create('large', { a: half });
  ana.change('large', { op: 'set', name: 'b', value: half });
  ana.create('small', { n: 0 });
  await ana.next(({ type }) => type === 'server-ack');
  // The first lets the large object be folded.
  for (let n = 1; n <= 3; n++) {
    const written = ana.change('small', { op: 'set', name: 'n', value: n });
    await ana.next(({ type, timestamp }) => type === 'global-ack' && String(timestamp) >= written);
  }
  const info = await worker.control<{ operationsCount: number; baselinesCount: number }>('large', 'getInfo');
  expect(info.baselinesCount).toBe(2);
  expect(info.operationsCount).toBeLessThanOrEqual(2);
  const bob = await Peer.open(worker.base, await worker.token('large', 'bob'), 'bob-1');
  const { baselines, operations } = await bob.start();
  expect(baselines).toHaveLength(2);
  expect(operations).toContainEqual(expect.objectContaining({ oid: 'items/large' }));
  const whole = await worker.control<object>('large', 'getDocumentSnapshot', 'items', 'large');
  expect(whole).toEqual({ a: half, b: half });
});
