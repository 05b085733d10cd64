import { summarize } from '../statistics.js';
import { saturate } from './fan-out.js';
import { perCpuSecond as pollsPerCpuSecond, runPolls } from './idle-poll.js';
import { perCpuSecond as operationsPerCpuSecond, runMany } from './many.js';
import { withSeed } from './seed.js';
import type { Case, Goal, RunOptions, Work } from './work.js';

/** Works of which no other row has the sizes, each at 1×, 10× and 100×. */
export const growth: Work = {
  name: 'growth',
  title: 'growth: each of the above at 1×, 10×, 100× (first sync, founding and rebase: in their rows)',
  goal: 'time per unit flat within 20 %',
  run: async (options) => {
    const [fanOut, many, polls]: [Case[], Case[], Case[]] = [[], [], []];
    for (const objects of [1_000, 10_000, 100_000]) fanOut.push(await fanOutBeside(objects, options));
    for (const libraries of [10, 100, 1_000]) many.push(await manyOf(libraries, options));
    for (const libraries of [20, 200, 2_000]) polls.push(await pollsOf(libraries, options));
    return [...withGrowth(fanOut), ...withGrowth(many), ...withGrowth(polls)];
  },
};

/** Where the library has so many objects already. Connecting, which is a first sync for each, is not in it. */
async function fanOutBeside(objects: number, options: RunOptions): Promise<Case> {
  const library = { name: 'the-library', objects, operations: 0 };
  const name = `fan-out to 10, in a library of ${objects} objects`;
  return withSeed('ours', undefined, [library], (seed) =>
    measure(name, 'operations delivered', options, async () => {
      const { delivered, serverCpuSeconds } = await saturate('ours', 10, options, undefined, seed);
      return delivered / serverCpuSeconds;
    }),
  );
}

const manyOf = (libraries: number, options: RunOptions): Promise<Case> =>
  measure(`many, ${libraries} libraries`, 'operations delivered', options, async (run) =>
    operationsPerCpuSecond(
      await runMany('ours', { name: 'one file', oneFile: true }, options, run, libraries),
    ),
  );

const pollsOf = (libraries: number, options: RunOptions): Promise<Case> =>
  measure(`idle polls of ${libraries} libraries`, 'polls', options, async (run) =>
    pollsPerCpuSecond(
      await runPolls('ours', { name: 'growth', libraries, replicasOfALibrary: 1 }, options, run),
    ),
  );

async function measure(
  name: string,
  what: string,
  options: RunOptions,
  perCpuSecond: (run: number) => Promise<number>,
): Promise<Case> {
  const rates: number[] = [];
  for (let run = 0; run < options.runs; run++) {
    rates.push(await perCpuSecond(run));
    options.say(`${name}, run ${run + 1}: ${Math.round(rates.at(-1)!)} per CPU-second`);
  }
  return {
    name,
    unit: `${what} per CPU-second of the server`,
    figures: { ours: summarize(rates) },
    goals: [],
    details: { ours: rates.map((rate) => ({ rate })) },
  };
}

/** A unit of the larger may take a fifth longer. */
const AS_CHEAP = 1 / 1.2;

/** Cases of growing size, with a goal added to all but the first: each unit costs ours hardly more than there. */
export function withGrowth([smallest, ...larger]: Case[]): Case[] {
  if (!smallest) return [];
  return [smallest, ...larger.map((one) => ({ ...one, goals: [...one.goals, goalOf(one, smallest)] }))];
}

/** Of what ours does in a processor second. The two were not measured at the same time. */
function goalOf({ figures: { ours } }: Case, { figures: { ours: before } }: Case): Goal {
  return {
    text: 'of the rate with the smallest',
    atLeast: AS_CHEAP,
    measured: {
      median: ours!.median / before!.median,
      least: ours!.least / before!.most,
      most: ours!.most / before!.least,
    },
  };
}
