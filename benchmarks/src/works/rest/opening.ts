import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VisitsFigures, VisitsLoad } from '../../load/visits-program.js';
import { runLoad } from '../../load-process.js';
import { withServer } from '../../server-process.js';
import { summarize } from '../../statistics.js';
import { range } from '../range.js';
import { type Case, profileOf, type RunOptions } from '../work.js';

const ALLOWED_MS = 5;
/** So many are opened before: as many files as ours keeps open, so that others have to be closed from then on. */
const OPENED_BEFORE = 1_100;
const VISITS_DEADLINE_MS = 180_000;
const FOUNDING_DEADLINE_MS = 900_000;

interface OpeningFigures extends VisitsFigures {
  libraries: number;
  opened: number;
}

/** How long the first poll takes in a library that is not in memory. */
export async function openingLibraries(options: RunOptions): Promise<Case> {
  const libraries = Math.ceil(10_000 * Math.min(1, options.scale));
  const opened = Math.ceil(2_000 * Math.min(1, options.scale));
  const directory = await mkdtemp(join(tmpdir(), 'verdant-bench-libraries-'));
  const figures: OpeningFigures[] = [];
  try {
    await found(libraries, directory, options);
    for (let run = 0; run < options.runs; run++) {
      const order = shuffled(libraries);
      const profile = profileOf(options, 'rest', 'opening a library', run + 1);
      const told = await withServer('ours', { keptIn: directory, profile }, async (server) => {
        const known = { base: server.base, known: true, atOnce: 1 };
        const visit = (of: number[]) =>
          runLoad<VisitsLoad, VisitsFigures>(
            'visits',
            { ...known, libraries: of, polls: 2 },
            VISITS_DEADLINE_MS,
          );
        await visit(order.slice(0, OPENED_BEFORE));
        return visit(order.slice(OPENED_BEFORE, OPENED_BEFORE + opened));
      });
      figures.push({ ...told, libraries, opened });
      const text = ({ p50, p99, max }: VisitsFigures['firstMs']) =>
        `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, at most ${max.toFixed(1)} ms`;
      options.say(
        `opening ${opened} of ${libraries} libraries, run ${run + 1}: ${text(told.firstMs)}; ` +
          `once open: ${text(told.laterMs)}`,
      );
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const times = (quantile: 'p50' | 'p99') => figures.map(({ firstMs }) => firstMs[quantile]);
  return {
    name: 'opening a library',
    unit: 'ms, p99, of the first poll in a library',
    figures: { ours: summarize(times('p99')) },
    goals: (['p50', 'p99'] as const).map((quantile) => ({
      text: `5 ms by ${quantile} of the first poll`,
      atLeast: 1,
      measured: summarize(times(quantile).map((ms) => ALLOWED_MS / ms)),
    })),
    details: { ours: figures },
  };
}

/** Once for all runs: it takes its time. */
async function found(libraries: number, directory: string, options: RunOptions): Promise<void> {
  const { seconds } = await withServer('ours', { keptIn: directory }, ({ base }) =>
    runLoad<VisitsLoad, VisitsFigures>(
      'visits',
      { base, known: false, atOnce: 8, libraries: range(0, libraries), polls: 2 },
      FOUNDING_DEADLINE_MS,
    ),
  );
  options.say(`${libraries} libraries founded in ${seconds.toFixed(0)} s`);
}

/** In an order that no library's place in the folder has to do with. */
function shuffled(count: number): number[] {
  const order = range(0, count);
  for (let index = count - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
  return order;
}
