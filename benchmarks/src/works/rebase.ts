import { join } from 'node:path';
import type { RebaseFigures, RebaseLoad } from '../load/rebase-program.js';
import { runLoad } from '../load-process.js';
import { type EventLoopStalls, withServer } from '../server-process.js';
import { summarize } from '../statistics.js';
import { withGrowth } from './growth.js';
import { AWAY, type SeedLibrary, withSeed } from './seed.js';
import { allowed, type Case, profileOf, type RunOptions, type Work } from './work.js';

/** A device that was away comes back, so that all operations can be folded into baselines. */
export const rebase: Work = {
  name: 'rebase',
  title: 'rebase: 100 k operations over 10 k objects',
  goal: 'no event-loop stall over 20 ms; linear: within 20 % of the time for each of 1 k',
  run: async (options) => withGrowth(await runSizes(options)),
};

/** Of smaller libraries there are several at once, or they would be folded before anything can be measured. */
const SIZES = [
  { operations: 1_000, libraries: 20 },
  { operations: 10_000, libraries: 4 },
  { operations: 100_000, libraries: 1 },
];
const OPERATIONS_PER_OBJECT = 10;
const WARM_UP = library('warm-up', 10_000);
const DEADLINE_MS = 120_000;

const STALL_MS = 20;

type Figures = RebaseFigures & EventLoopStalls;

async function runSizes(options: RunOptions): Promise<Case[]> {
  const cases: Case[] = [];
  for (const { operations, libraries } of SIZES) {
    const name = libraries > 1 ? `${libraries} × ${operations} operations` : `${operations} operations`;
    const seeded = Array.from({ length: libraries }, (_, index) => library(`library-${index}`, operations));
    const figures = await withSeed('ours', undefined, [WARM_UP, ...seeded], (copyOf) =>
      runTimes(name, seeded, copyOf, options),
    );
    const perCpuSecond = figures.map((told) => told.operations / told.serverCpuSeconds);
    const stalls = figures.map(({ longestStallMs }) => longestStallMs);
    cases.push({
      name,
      unit: 'operations folded per CPU-second of the server',
      figures: { ours: summarize(perCpuSecond) },
      goals: [allowed('allowed stall by the longest', STALL_MS, stalls)],
      details: { ours: figures },
    });
  }
  return cases;
}

async function runTimes(
  name: string,
  libraries: SeedLibrary[],
  copyOf: string,
  options: RunOptions,
): Promise<Figures[]> {
  const figures: Figures[] = [];
  for (let run = 0; run < options.runs; run++) {
    const profile = profileOf(options, 'rebase', name, run + 1);
    const told = await runOnce(libraries, copyOf, profile);
    figures.push(told);
    options.say(
      `${name}, run ${run + 1}: ${((told.serverCpuSeconds / told.operations) * 1e6).toFixed(1)} CPU-µs each, ` +
        `${told.operations} in ${told.seconds.toFixed(1)} s, longest stall ${told.longestStallMs.toFixed(1)} ms ` +
        `(computing ${told.computingMs.toFixed(1)}; at most ${told.mostComputingMs.toFixed(1)} in any), ` +
        `${told.stallsOver20Ms} over 20 ms`,
    );
  }
  return figures;
}

function runOnce(libraries: SeedLibrary[], copyOf: string, profile: string | undefined): Promise<Figures> {
  return withServer('ours', { copyOf, profile }, async (server) => {
    const stored = ({ name }: SeedLibrary) => ({ name, database: join(server.directory, `${name}.sqlite`) });
    const folded = await runLoad<RebaseLoad, RebaseFigures>(
      'rebase',
      {
        base: server.base,
        serverPid: server.pid,
        user: AWAY,
        warmUp: stored(WARM_UP),
        libraries: libraries.map(stored),
      },
      DEADLINE_MS,
      () => server.watchEventLoop(),
    );
    return { ...folded, ...(await server.eventLoopStalls()) };
  });
}

function library(name: string, operations: number): SeedLibrary {
  return { name, objects: operations / OPERATIONS_PER_OBJECT, operations };
}
