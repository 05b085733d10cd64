import { gzipSync } from 'node:zlib';
import {
  bundleWorker,
  type RunningWorker,
  startWorker,
} from '../../../packages/cloudflare/src/testing/start-worker.js';
import { summarize } from '../statistics.js';
import type { Case, RunOptions, Work } from './work.js';

/** After so long without a request an object has left memory. */
const ASLEEP_AFTER_MS = 13_000;

/** How large the Worker is, and how long its first answers take. */
export const worker: Work = {
  name: 'worker',
  title: 'on Cloudflare: size of the Worker, and polls of libraries that are not in memory',
  goal: 'none: told',
  run: async (options) => {
    const bundle = Buffer.from(await bundleWorker('./worker.ts', { minify: true }));
    // Bundles what the others run, and has workerd and all that it reads in memory.
    await (await startWorker()).stop();
    const runs: FirstAnswers[] = [];
    for (let run = 1; run <= options.runs; run++) runs.push(await firstAnswers(run, options));
    const told = (name: string, unit: string, of: keyof FirstAnswers): Case =>
      caseOf(
        name,
        unit,
        runs.map((figures) => figures[of]),
      );
    return [
      caseOf('bundle', 'bytes, minified', [bundle.length]),
      caseOf('bundle, compressed', 'bytes, minified and by gzip', [gzipSync(bundle).length]),
      told('cold start', 'ms from the start of workerd to its first answer', 'coldStart'),
      told('a new library', 'ms for the first poll', 'newLibrary'),
      told('in memory', 'ms for a poll', 'inMemory'),
      told('asleep', 'ms for a poll that wakes the object', 'asleep'),
    ];
  },
};

/** In ms. */
interface FirstAnswers {
  coldStart: number;
  newLibrary: number;
  inMemory: number;
  asleep: number;
}

async function firstAnswers(run: number, { say }: RunOptions): Promise<FirstAnswers> {
  const started = performance.now();
  const running = await startWorker();
  try {
    await running.token('nothing', 'ana');
    const coldStart = performance.now() - started;
    // The first of all compiles what the others use.
    await running.poll('warm', 'ana');
    const newLibrary = await timeOf(running, 'new');
    const inMemory = await timeOf(running, 'new');
    await new Promise((resolve) => setTimeout(resolve, ASLEEP_AFTER_MS));
    const figures = { coldStart, newLibrary, inMemory, asleep: await timeOf(running, 'new') };
    say(`run ${run}: ${JSON.stringify(figures)}`);
    return figures;
  } finally {
    await running.stop();
  }
}

/** Token included, which is another request. */
async function timeOf(running: RunningWorker, library: string): Promise<number> {
  const started = performance.now();
  await running.poll(library, 'ana');
  return performance.now() - started;
}

const caseOf = (name: string, unit: string, measured: number[]): Case => ({
  name,
  unit,
  figures: { ours: summarize(measured) },
  goals: [],
  details: {},
});
