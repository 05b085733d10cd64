import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { FromWorker, ToWorker } from './simulate-worker.js';
import { addOutcome, describeTotals, noTotals } from './totals.js';
import { wholeNumber } from './whole-number.js';
import { WORLD_KINDS, worldKind } from './world-kind.js';

/*
 * `pnpm simulate --seeds 100000` runs so many worlds over worker processes: a night. It ends with status 1 where one is
 * broken, and says how to run that one again.
 */

const USAGE = `Usage: pnpm simulate [--seeds N] [--from N] [--kind K] [--workers N] [--bail]

  --seeds N    how many worlds; default 500
  --from N     the first seed; default 1
  --kind K     of which worlds: ${WORLD_KINDS.join(', ')}; default usual
  --workers N  how many processes; default: one for each core
  --bail       end with the first world that is broken`;

/** Seeds that a worker is given at once. */
const SLICE = 20;
const PROGRESS_MS = 30_000;

const totals = noTotals();
/** How to run each broken world again, made small. */
const broken = new Map<number, string>();
const { first, end, kind, workers, bail } = options();
const started = performance.now();
let next = first;

const progress = setInterval(() => {
  const { worlds } = totals;
  const rate = worlds / ((performance.now() - started) / 1000);
  const left = rate > 0 ? ` about ${Math.ceil((end - first - worlds) / rate / 60)} minutes left` : '';
  console.log(
    `${worlds} of ${end - first} worlds, ${totals.broken} broken, ${rate.toFixed(1)} a second;${left}`,
  );
}, PROGRESS_MS);

await Promise.all(Array.from({ length: Math.min(workers, end - first) }, startWorker));
clearInterval(progress);
console.log(describeTotals(totals));
for (const replay of broken.values()) console.log(`  ${replay}`);
console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`);
process.exitCode = broken.size > 0 ? 1 : 0;

function options() {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string', default: '500' },
        from: { type: 'string', default: '1' },
        kind: { type: 'string', default: 'usual' },
        workers: { type: 'string', default: String(availableParallelism()) },
        bail: { type: 'boolean', default: false },
      },
    });
    const seeds = wholeNumber('seeds', values.seeds);
    const from = wholeNumber('from', values.from);
    return {
      first: from,
      end: from + seeds,
      kind: worldKind(values.kind),
      workers: Math.max(1, wholeNumber('workers', values.workers)),
      bail: values.bail,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** Runs one worker until no seed is left. */
function startWorker(): Promise<void> {
  const worker = fork(fileURLToPath(new URL('./simulate-worker.ts', import.meta.url)));
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'outcome') record(message);
      if (message.type === 'ready') giveSeeds(worker);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`A worker ended with status ${code}.`));
    });
  });
}

function giveSeeds(worker: ChildProcess): void {
  const ends = bail && broken.size > 0;
  const message: ToWorker = { kind, from: next, to: ends ? next : Math.min(end, next + SLICE) };
  next = Math.max(next, message.to);
  worker.send(message);
}

function record({ outcome, replay }: Extract<FromWorker, { type: 'outcome' }>): void {
  addOutcome(totals, outcome);
  const { seed, failures } = outcome;
  if (failures.length === 0) return;
  broken.set(seed, replay);
  console.log(`Seed ${seed} is broken: ${failures[0]?.slice(0, 300)}\n  ${replay}`);
}
