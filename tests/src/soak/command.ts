import { parseArgs } from 'node:util';
import { describeRow } from './flatness.js';
import { soak } from './run.js';

/*
 * pnpm soak [--minutes 20] [--libraries 20] [--sockets 4] [--rate 500]
 *
 * A server under half the load that saturates it, or under the given one: ends with status 1 where anything of it grows, or
 * it logs an error.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    libraries: { type: 'string', default: '20' },
    sockets: { type: 'string', default: '4' },
    rate: { type: 'string' },
  },
});
const WINDOWS = 5;
const started = performance.now();
const print = (text: string) =>
  process.stdout.write(`${((performance.now() - started) / 1_000).toFixed(0).padStart(5)} s  ${text}\n`);
const { rows, rate, reached, progress, errors, load } = await soak({
  seconds: Number(values.minutes) * 60,
  libraries: Number(values.libraries),
  sockets: Number(values.sockets),
  rate: values.rate === undefined ? null : Number(values.rate),
  windows: WINDOWS,
  note: print,
});
print(
  `${reached.toFixed(0)} of ${rate.toFixed(0)} operations a second acknowledged, ${load.toFixed(2)} CPU seconds a second: ` +
    `${progress.acknowledged} operations, delivered ${progress.delivered} times, ${progress.reconnections} reconnections, ` +
    `${progress.failedPolls} failed polls, ${errors} errors`,
);
if (progress.pollFailure) print(`the first failed poll: ${progress.pollFailure}`);
print(`medians of ${WINDOWS} windows; flat: the last is not above the second`);
for (const row of rows) print(describeRow(row));
const isGood = rows.every(({ isFlat }) => isFlat) && errors + progress.failedPolls === 0 && reached > 0;
process.exit(isGood ? 0 : 1);
