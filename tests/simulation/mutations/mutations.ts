import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { wholeNumber } from '../whole-number.js';
import type { Fault } from './fault.js';
import { faults } from './faults.js';
import { FOUND_FILE, type Found, readFound } from './found.js';
import type { FromWorker, ToWorker } from './mutations-worker.js';
import { PAGE, withPlantedFaults } from './planted-faults-page.js';
import { unfound } from './unfound.js';
import { verifyNamedTests } from './verify-named-tests.js';

/*
 * `pnpm simulate:mutations` plants one fault after the other in the engine, and looks whether the simulation finds it in as many
 * worlds as CI runs: where it was found before, then from the first seed on. With `--tests` it looks whether each that no world
 * shows is found by the test that is said to find it.
 */

const USAGE = `Usage: pnpm simulate:mutations [words of a fault's name] [--record] [--missing] [--tests] [--workers N] [--seeds N]

  --record     write down where each is found, and the table of docs/reliability.md
  --missing    only those of which nothing is written down
  --tests      of those that no world shows, whether the named test of each fails with it
  --workers N  how many processes; default: one for each core
  --seeds N    in how many worlds it is looked for; default 500, as many as CI runs`;

/** A world that has not ended by then never does. */
const DEADLINE_MS = 120_000;

const { words, record, missing, tests, workers, seeds } = options();
const found = new Map(Object.entries(readFound()));
const chosen = faults.filter(({ name }) => name.includes(words) && !(missing && isKnown(name)));
const waiting = [...chosen];

if (tests) await runTests();
else await lookInWorlds();

async function runTests(): Promise<void> {
  const named = unfound.filter(({ name }) => name.includes(words));
  const holds = await verifyNamedTests(named, { workers, print: console.log });
  console.log(
    `${named.length} faults that no world shows. ${holds ? 'The named test of each finds it.' : 'See what is WRONG above.'}`,
  );
  process.exitCode = holds ? 0 : 1;
}

async function lookInWorlds(): Promise<void> {
  await Promise.all(Array.from({ length: Math.min(workers, chosen.length) }, work));
  const missed = chosen.filter(({ name }) => !found.has(name));
  console.log(`${chosen.length} faults, ${chosen.length - missed.length} of them found in ${seeds} worlds.`);
}

function isKnown(name: string): boolean {
  return found.has(name) || unfound.some((other) => other.name === name);
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        record: { type: 'boolean', default: false },
        missing: { type: 'boolean', default: false },
        tests: { type: 'boolean', default: false },
        workers: { type: 'string', default: String(availableParallelism()) },
        seeds: { type: 'string', default: '500' },
      },
    });
    return {
      words: positionals.join(' '),
      record: values.record,
      missing: values.missing,
      tests: values.tests,
      workers: Math.max(1, wholeNumber('workers', values.workers)),
      seeds: wholeNumber('seeds', values.seeds),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** Works faults off in one process, until none is left. */
async function work(): Promise<void> {
  const worker = fork(fileURLToPath(new URL('./mutations-worker.ts', import.meta.url)));
  for (let fault = waiting.shift(); fault; fault = waiting.shift()) {
    const where = await lookFor(fault, worker);
    if (where) found.set(fault.name, where);
    else found.delete(fault.name);
    // After each: a night may be cut short.
    if (record) writeDown();
    console.log(`${where ? `${where.seed} [${where.check}]` : 'not found'}`.padEnd(22), fault.name);
  }
  worker.disconnect();
}

function lookFor({ name }: Fault, worker: ChildProcess): Promise<Found | null> {
  const before = found.get(name)?.seed;
  const message: ToWorker = {
    name,
    seeds: [...(before === undefined ? [] : [before]), ...Array.from({ length: seeds }, (_, at) => at + 1)],
  };
  return new Promise((resolve, reject) => {
    const fails = (how: string) => {
      worker.kill('SIGKILL');
      reject(new Error(`${how}: a server that ${name}.`));
    };
    const deadline = setTimeout(() => fails('A world does not end'), DEADLINE_MS);
    const ended = () => fails('The process has ended');
    worker.once('exit', ended);
    worker.on('message', function hear(answer: FromWorker) {
      deadline.refresh();
      if (answer.type === 'looked') return;
      clearTimeout(deadline);
      worker.off('exit', ended).off('message', hear);
      resolve(answer.found);
    });
    worker.send(message);
  });
}

function writeDown(): void {
  const entries = faults.flatMap(({ name }) => {
    const where = found.get(name);
    return where ? [[name, where]] : [];
  });
  const table = Object.fromEntries(entries);
  writeFileSync(FOUND_FILE, `${JSON.stringify(table, null, 2)}\n`);
  writeFileSync(PAGE, withPlantedFaults(readFileSync(PAGE, 'utf8'), table));
}
