import { expect, test } from 'vitest';
import { VirtualScheduler } from '../testing/virtual-scheduler.js';
import { Rounds } from './rounds.js';

function setUp() {
  const scheduler = new VirtualScheduler();
  const rounds = new Rounds(scheduler);
  const had: number[] = [];
  const join = (count: number) => {
    for (let n = 0; n < count; n++) rounds.join(() => had.push(n));
  };
  return { scheduler, rounds, had, join };
}

test('up to 64 have their turn in a round, in the order in which they asked', async () => {
  const { scheduler, had, join } = setUp();
  join(150);
  const seen: number[] = [];
  while (await scheduler.step()) seen.push(had.length);
  expect(seen).toEqual([64, 128, 150]);
  expect(had).toEqual(Array.from({ length: 150 }, (_, n) => n));
});

test('what joins in a round is in the next one', async () => {
  const { scheduler, rounds, had, join } = setUp();
  rounds.join(() => join(1));
  await scheduler.step();
  expect(had).toEqual([]);
  await scheduler.step();
  expect(had).toEqual([0]);
});

test('is busy for a second after more had work than fit into a round', async () => {
  const { scheduler, rounds, join } = setUp();
  join(64);
  await scheduler.pass();
  expect(rounds.isBusy).toBe(false);
  join(65);
  await scheduler.pass();
  expect(rounds.isBusy).toBe(true);
  await scheduler.pass(1_000);
  expect(rounds.isBusy).toBe(false);
});
