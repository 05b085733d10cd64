import { expect, test } from 'vitest';
import { Rate } from './rate.js';
import { VirtualScheduler } from './testing/virtual-scheduler.js';

const start = (perSecond: number) => {
  const time = new VirtualScheduler();
  return { time, rate: new Rate(perSecond, time) };
};

test('[LIMIT-12] ten seconds worth may come at once, and not one more', () => {
  const { rate } = start(100);
  rate.take(999);
  expect(rate.waitMs).toBe(0);
  rate.take(1);
  expect(rate.waitMs).toBe(0);
  rate.take(1);
  expect(rate.waitMs).toBe(10);
});

test('what is owed is waited for, however much it is', async () => {
  const { rate, time } = start(100);
  rate.take(1_500);
  expect(rate.waitMs).toBe(5_000);
  await time.pass(4_999);
  expect(rate.waitMs).toBe(1);
  await time.pass(1);
  expect(rate.waitMs).toBe(0);
  expect(rate.isFull).toBe(false);
  await time.pass(60_000);
  expect(rate.isFull).toBe(true);
  rate.take(1_001);
  expect(rate.waitMs).toBe(10);
});

test('a clock that is set back makes nobody wait for it', () => {
  const { rate, time } = start(100);
  rate.take(1_001);
  const now = time.now();
  time.now = () => now - 3_600_000;
  expect(rate.waitMs).toBe(10);
  time.now = () => now - 3_600_000 + 10;
  expect(rate.waitMs).toBe(0);
});

test('what is not to be owed waits until there is room for it, a whole one at least', async () => {
  const { rate, time } = start(0.01);
  expect(rate.waitMsFor(1)).toBe(0);
  rate.take(1);
  expect([rate.waitMs, rate.waitMsFor(1)]).toEqual([0, 100_000]);
  await time.pass(100_000);
  expect(rate.waitMsFor(1)).toBe(0);
});

test('a rate without end is one', () => {
  const { rate } = start(Number.POSITIVE_INFINITY);
  rate.take(1e12);
  expect([rate.waitMs, rate.isFull]).toEqual([0, true]);
});
