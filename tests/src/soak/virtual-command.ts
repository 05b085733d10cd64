import { parseArgs } from 'node:util';
import { describeRow } from './flatness.js';
import { soakVirtually } from './virtual-soak.js';

/*
 * pnpm soak:virtual [--hours 6] [--seed 1]
 *
 * An engine on SQLite in virtual time, compared hour by hour: ends with status 1 where anything of it grows.
 */
const { values } = parseArgs({
  options: { hours: { type: 'string', default: '6' }, seed: { type: 'string', default: '1' } },
});
const hours = Number(values.hours);
const started = performance.now();
const { rows, errors, ...figures } = await soakVirtually({
  minutes: hours * 60,
  windows: Math.max(3, hours),
  // Keys of folded operations are kept for two hours.
  warmUp: hours > 3 ? 2 : 1,
  seed: Number(values.seed),
});
const took = (performance.now() - started) / 1_000;
console.log(
  `${hours} virtual hours in ${took.toFixed(0)} s: ${figures.acknowledged} operations acknowledged, delivered ${figures.delivered} times, ` +
    `${figures.reconnections} connections, ${figures.steps} steps, ${errors.length} errors`,
);
console.log('medians of equal windows; flat: the last is not above the first after warming up');
for (const row of rows) console.log(describeRow(row));
for (const error of errors.slice(0, 5)) console.log(`FAILED: ${error}`);
process.exit(errors.length === 0 && rows.every(({ isFlat }) => isFlat) ? 0 : 1);
