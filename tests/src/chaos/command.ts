import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runChaos } from './run.js';

/*
 * pnpm chaos [--minutes 10] [--seed 1] [--clients 10] [--evictions 2] [--kill-every 20-40] [--wires file.json]
 *
 * Ends with status 1 where anything that was acknowledged is missing, or somebody holds what others do not, and no known
 * fault of the published clients explains it. `--wires` keeps everything that clients sent, received and stored.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: '10' },
    evictions: { type: 'string', default: '2' },
    'kill-every': { type: 'string', default: '20-40' },
    wires: { type: 'string' },
  },
});
const started = performance.now();
const print = (text: string) =>
  process.stdout.write(`${((performance.now() - started) / 1_000).toFixed(0).padStart(5)} s  ${text}\n`);
// What clients leave to the browser's console: they go on, or do not, which then shows.
let unhandled = 0;
process.on('unhandledRejection', () => unhandled++);

const [low = 20, high = low] = values['kill-every'].split('-').map(Number);
const recorded: unknown[] = [];
print(`seed ${values.seed}`);
const report = await runChaos({
  seconds: Number(values.minutes) * 60,
  seed: Number(values.seed),
  clients: Number(values.clients),
  evictions: Number(values.evictions),
  killEveryMs: [low * 1_000, high * 1_000],
  note: print,
  ...(values.wires && { record: (client) => recorded.push(client) }),
})
  .catch((error: Error) => {
    print(`FAILED: ${error.stack}`);
    return null;
  })
  .finally(() => values.wires && writeFileSync(values.wires, JSON.stringify(recorded, null, 1)));
if (!report) process.exit(1);

const { user, system } = process.cpuUsage();
const { missing, differing, complaints, quirks, ...figures } = report;
for (const [name, value] of Object.entries(figures)) print(`${name}: ${value}`);
print(
  `errors that clients left to the console: ${unhandled}; CPU of clients: ${((user + system) / 1e6).toFixed(1)} s`,
);
for (const [quirk, count] of Object.entries(quirks))
  print(`documents of a client that differ, ${quirk}: ${count}`);
print(`acknowledged and missing: ${missing.length}; differing without a reason: ${differing.length}`);
for (const problem of [...missing, ...differing, ...complaints]) print(`FAILED: ${problem}`);
const isIdle = report.kills + report.evictions === 0 || report.acknowledged === 0;
if (isIdle) print('FAILED: nothing happened that could have gone wrong.');
process.exit(isIdle || missing.length + differing.length + complaints.length > 0 ? 1 : 0);
