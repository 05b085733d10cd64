import type { ManyFigures, ManyLoad } from '../load/many-program.js';
import { runLoad } from '../load-process.js';
import { type Subject, withServer } from '../server-process.js';
import { summarize } from '../statistics.js';
import { type Case, profileOf, type RunOptions, ratios, type Work } from './work.js';

/** Many libraries at once, in each of which somebody writes. */
export const many: Work = {
  name: 'many',
  title: 'many: 1,000 libraries × 2 sockets',
  goal: '≥ 60 % of the floor; no library starves: the least served gets half of what the median one gets',
  run: async (options) => {
    const cases: Case[] = [];
    for (const storage of STORAGES) cases.push(await runCase(storage, options));
    return cases;
  },
};

interface Storage {
  name: string;
  oneFile: boolean;
  subjects: readonly Subject[];
}

/** The floor, as the original, has one file for all, so one commit for what comes together. */
const STORAGES: readonly Storage[] = [
  { name: 'one file', oneFile: true, subjects: ['ours', 'floor', 'original'] },
  { name: 'a file each', oneFile: false, subjects: ['ours', 'floor'] },
];
const LIBRARIES = 1_000;
const GREEDY = { each: 100, window: 32 };
const OF_THE_FLOOR = 0.6;
const OF_THE_MEDIAN = 0.5;
/** What is counted in a library is whole operations: of fewer, one more or less would be much. */
const ENOUGH = 20;
const PATIENCE_MS = 30_000;
const DEADLINE_MS = 300_000;

async function runCase(storage: Storage, options: RunOptions): Promise<Case> {
  const figures: Record<Subject, ManyFigures[]> = { ours: [], floor: [], original: [] };
  let originalBears = true;
  for (let run = 0; run < options.runs; run++) {
    for (const subject of storage.subjects) {
      if (subject === 'original' && !originalBears) continue;
      const told = await runMany(subject, storage, options, run).catch((error: unknown) => {
        if (subject !== 'original') throw error;
        options.say(`${storage.name}, run ${run + 1}, original: ${causeOf(error)}. It is not asked again.`);
        return null;
      });
      originalBears &&= told !== null;
      if (told === null) continue;
      figures[subject].push(told);
      const { least, median, most } = told.deliveredOfALibrary;
      options.say(
        `${storage.name}, run ${run + 1}, ${subject}: ${Math.round(perCpuSecond(told))} delivered per CPU-second ` +
          `(${told.delivered} in ${told.seconds.toFixed(1)} s, a library ${least}, ${median}, ${most}, ` +
          `server ${told.serverCpuSeconds.toFixed(2)} s, load ${told.loadCpuSeconds.toFixed(2)} s, ` +
          `p99 ${told.latencyMs.p99.toFixed(0)} ms, connected in ${told.connectSeconds.toFixed(1)} s)`,
      );
    }
  }
  const rates = (subject: Subject) => figures[subject].map(perCpuSecond);
  return {
    name: storage.name,
    unit: 'operations delivered per CPU-second of the server',
    figures: Object.fromEntries(
      storage.subjects
        .filter((subject) => figures[subject].length > 0)
        .map((subject) => [subject, summarize(rates(subject))]),
    ),
    goals: [
      {
        text: 'of the floor',
        atLeast: OF_THE_FLOOR,
        measured: summarize(ratios(rates('ours'), rates('floor'))),
      },
      {
        text: 'of the median library for the least served',
        atLeast: OF_THE_MEDIAN,
        measured: summarize(figures.ours.map(({ deliveredOfALibrary: { least, median } }) => least / median)),
      },
    ],
    details: figures,
  };
}

export async function runMany(
  subject: Subject,
  { name, oneFile }: Pick<Storage, 'name' | 'oneFile'>,
  options: RunOptions,
  run: number,
  libraries = LIBRARIES,
): Promise<ManyFigures> {
  const profile = profileOf(options, 'many', name, run + 1, subject);
  return withServer(subject, { profile, settings: { oneFile } }, async (server) => {
    const figures = await runLoad<ManyLoad, ManyFigures>(
      'many',
      {
        base: server.base,
        serverPid: server.pid,
        libraries,
        greedy: GREEDY,
        warmUpMs: 5_000 * options.scale,
        measureMs: 3_000 * options.scale,
        enough: ENOUGH * options.scale,
        patienceMs: PATIENCE_MS,
      },
      DEADLINE_MS,
    );
    if (figures.delivered === 0) throw new Error(`Nothing arrived in ${figures.seconds} s`);
    return figures;
  });
}

const causeOf = (error: unknown) => {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
};

export const perCpuSecond = ({ delivered, serverCpuSeconds }: ManyFigures) => delivered / serverCpuSeconds;
