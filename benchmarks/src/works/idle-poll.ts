import type { IdlePollFigures, IdlePollLoad } from '../load/idle-poll-program.js';
import { runLoad } from '../load-process.js';
import { type Subject, withServer } from '../server-process.js';
import { summarize } from '../statistics.js';
import { type Case, profileOf, type RunOptions, ratios, type Work } from './work.js';

/** Replicas that ask over HTTP whether there is something new, when there is nothing. */
export const idlePoll: Work = {
  name: 'idle-poll',
  title: 'idle poll over HTTP (presence + sync, nothing new)',
  goal: '≥ 50 % of a Hono route that verifies the token and answers a constant',
  run: async (options) => {
    const cases: Case[] = [];
    for (const size of SIZES) cases.push(await runCase(size, options));
    return cases;
  },
};

export type Size = Pick<IdlePollLoad, 'libraries' | 'replicasOfALibrary'> & { name: string };

/** Who polls is alone, or would have a socket; or has a token that allows none, and then others may be there. */
const SIZES: readonly Size[] = [
  { name: '200 libraries of 1 replica', libraries: 200, replicasOfALibrary: 1 },
  { name: '20 libraries of 10 replicas', libraries: 20, replicasOfALibrary: 10 },
];
const SUBJECTS: readonly Subject[] = ['ours', 'floor', 'original'];
const CONNECTIONS = 16;
const OF_THE_FLOOR = 0.5;
const PATIENCE_MS = 10_000;
const DEADLINE_MS = 90_000;

async function runCase(size: Size, options: RunOptions): Promise<Case> {
  const figures: Record<Subject, IdlePollFigures[]> = { ours: [], floor: [], original: [] };
  for (let run = 0; run < options.runs; run++) {
    for (const subject of SUBJECTS) {
      const told = await runPolls(subject, size, options, run);
      figures[subject].push(told);
      options.say(
        `${size.name}, run ${run + 1}, ${subject}: ${Math.round(perCpuSecond(told))} polls per CPU-second ` +
          `(${told.polls} in ${told.seconds.toFixed(1)} s, server ${told.serverCpuSeconds.toFixed(2)} s, ` +
          `load ${told.loadCpuSeconds.toFixed(2)} s, p99 ${told.latencyMs.p99.toFixed(1)} ms)`,
      );
    }
  }
  const rates = (subject: Subject) => figures[subject].map(perCpuSecond);
  return {
    name: size.name,
    unit: 'polls per CPU-second of the server',
    figures: Object.fromEntries(SUBJECTS.map((subject) => [subject, summarize(rates(subject))])),
    goals: [
      {
        text: 'of the floor',
        atLeast: OF_THE_FLOOR,
        measured: summarize(ratios(rates('ours'), rates('floor'))),
      },
    ],
    details: figures,
  };
}

export async function runPolls(
  subject: Subject,
  { name, libraries, replicasOfALibrary }: Size,
  options: RunOptions,
  run: number,
): Promise<IdlePollFigures> {
  const profile = profileOf(options, 'idle-poll', name, run + 1, subject);
  const program = subject === 'floor' ? 'idle-poll-floor' : subject;
  return withServer(subject, { program, profile }, async (server) => {
    const figures = await runLoad<IdlePollLoad, IdlePollFigures>(
      'idle-poll',
      {
        base: server.base,
        serverPid: server.pid,
        libraries,
        replicasOfALibrary,
        connections: CONNECTIONS,
        warmUpMs: 5_000 * options.scale,
        measureMs: 3_000 * options.scale,
        enough: 3_000 * options.scale,
        patienceMs: PATIENCE_MS,
      },
      DEADLINE_MS,
    );
    if (figures.polls === 0) throw new Error(`No poll was answered in ${figures.seconds} s`);
    return figures;
  });
}

export const perCpuSecond = ({ polls, serverCpuSeconds }: IdlePollFigures) => polls / serverCpuSeconds;
