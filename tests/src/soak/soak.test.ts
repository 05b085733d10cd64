import { expect, test } from 'vitest';
import { soak } from './run.js';
import { soakVirtually } from './virtual-soak.js';

/* Slices of `pnpm soak` and `pnpm soak:virtual`: too short for a slow leak, long enough for one of each message. */

test('[WORK-6] four virtual minutes leave nothing behind', async () => {
  const { rows, errors, acknowledged } = await soakVirtually({ minutes: 4, windows: 3, warmUp: 1, seed: 1 });
  expect(errors).toEqual([]);
  expect(acknowledged).toBeGreaterThan(200);
  // A database's own log grows to 4 MiB before it begins anew, and that takes longer.
  const grown = rows.filter(({ name, isFlat }) => !isFlat && !name.includes('WAL'));
  expect(grown).toEqual([]);
}, 120_000);

test('a server under an even load answers all of it, and holds on to nothing', async () => {
  const { rows, reached, errors, progress } = await soak({
    // The first window warms up, the last is compared with the second.
    ...{ seconds: 9, libraries: 3, sockets: 3, rate: 40, windows: 3 },
    note: () => {},
  });
  expect(errors).toBe(0);
  expect(progress.failedPolls).toBe(0);
  expect(reached).toBeGreaterThan(0);
  // Files and what the system gives the process take longer to come to their size.
  const judged = rows.filter(({ name }) => !/databases|WAL|keys|RSS/.test(name));
  expect(judged.map(({ name }) => name)).toEqual([
    'heap, MiB',
    'outside the heap, MiB',
    'file descriptors',
    'timers',
    'other handles',
  ]);
  expect(judged.filter(({ isFlat }) => !isFlat)).toEqual([]);
  // Those of the engine are seen at all.
  expect(Number(judged[3]?.medians.at(-1))).toBeGreaterThan(0);
}, 120_000);
