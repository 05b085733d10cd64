import type { FanOutFigures, FanOutLoad } from '../load/fan-out-program.js';
import { runLoad } from '../load-process.js';
import { type Subject, withServer } from '../server-process.js';
import { summarize } from '../statistics.js';
import { type Case, type Goal, profileOf, type RunOptions, ratios, type Work } from './work.js';

/** One library, some sockets that all acknowledge, two of them writing as fast as they are confirmed. */
export const fanOut: Work = {
  name: 'fan-out',
  title: 'fan-out: 1 library, 2/10/50/200 sockets that ack, saturating writers',
  goal: '≥ 60 % of the floor’s delivered messages per CPU-second; original ≥ 10× at 2, ≥ 100× at 50',
  run: async (options) => {
    const cases: Case[] = [];
    for (const sockets of [2, 10, 50, 200]) cases.push(await runCase(sockets, options));
    return cases;
  },
};

const SUBJECTS: readonly Subject[] = ['ours', 'floor', 'original'];
const OF_THE_FLOOR = 0.6;
const OF_THE_ORIGINAL: Readonly<Record<number, number>> = { 2: 10, 50: 100 };
/** No goal compares it with more, and it takes its time. */
const MOST_FOR_THE_ORIGINAL = 50;
/*
 * Each ack makes the original tell every socket of its global ack: 64 messages to 50 sockets keep it busy for some 20 s,
 * in which nothing else arrives. A shorter queue and a longer measurement hold several such rounds, at the same work a message.
 */
const QUEUES: Readonly<Record<Subject, { window: number; longer: number }>> = {
  ours: { window: 32, longer: 1 },
  floor: { window: 32, longer: 1 },
  original: { window: 2, longer: 3 },
};
const PATIENCE_MS = 20_000;
const DEADLINE_MS = 90_000;

async function runCase(sockets: number, options: RunOptions): Promise<Case> {
  const figures: Record<Subject, FanOutFigures[]> = { ours: [], floor: [], original: [] };
  for (let run = 0; run < options.runs; run++) {
    for (const subject of SUBJECTS) {
      if (subject === 'original' && sockets > MOST_FOR_THE_ORIGINAL) continue;
      const profile = profileOf(options, 'fan-out', sockets, 'sockets', run + 1, subject);
      const told = await saturate(subject, sockets, options, profile);
      figures[subject].push(told);
      options.say(
        `${sockets} sockets, run ${run + 1}, ${subject}: ${Math.round(perCpuSecond(told))} delivered per CPU-second ` +
          `(${told.delivered} in ${told.seconds.toFixed(1)} s, server ${told.serverCpuSeconds.toFixed(2)} s, ` +
          `load ${told.loadCpuSeconds.toFixed(2)} s, p99 ${told.latencyMs.p99.toFixed(1)} ms)`,
      );
    }
  }
  const rates = (subject: Subject) => figures[subject].map(perCpuSecond);
  const goal = (text: string, peer: Subject, atLeast: number): Goal => ({
    text,
    atLeast,
    measured: summarize(ratios(rates('ours'), rates(peer))),
  });
  const timesOriginal = OF_THE_ORIGINAL[sockets];
  return {
    name: `${sockets} sockets`,
    unit: 'operations delivered per CPU-second of the server',
    figures: Object.fromEntries(
      SUBJECTS.filter((subject) => figures[subject].length > 0).map((subject) => [
        subject,
        summarize(rates(subject)),
      ]),
    ),
    goals: [
      goal('of the floor', 'floor', OF_THE_FLOOR),
      ...(timesOriginal ? [goal('times the original', 'original', timesOriginal)] : []),
    ],
    details: figures,
  };
}

/** One run of one subject, on a server of its own; on a copy of this folder, where one is named. */
export async function runFanOut(
  subject: Subject,
  profile: string | undefined,
  load: Omit<FanOutLoad, 'base' | 'serverPid' | 'patienceMs'>,
  copyOf?: string,
): Promise<FanOutFigures> {
  return withServer(subject, { profile, copyOf }, async (server) => {
    const figures = await runLoad<FanOutLoad, FanOutFigures>(
      'fan-out',
      { ...load, base: server.base, serverPid: server.pid, patienceMs: PATIENCE_MS },
      DEADLINE_MS,
    );
    // A ratio to nothing would be a goal that is met for a wrong reason.
    if (figures.delivered === 0) throw new Error(`Nothing arrived in ${figures.seconds} s`);
    return figures;
  });
}

/** As many writes as the subject can take. */
export function saturate(
  subject: Subject,
  sockets: number,
  options: RunOptions,
  profile?: string,
  copyOf?: string,
): Promise<FanOutFigures> {
  const { window, longer } = QUEUES[subject];
  return runFanOut(
    subject,
    profile,
    {
      sockets,
      writers: 2,
      window,
      warmUpMs: 5_000 * options.scale,
      measureMs: 3_000 * longer * options.scale,
    },
    copyOf,
  );
}

const perCpuSecond = ({ delivered, serverCpuSeconds }: FanOutFigures) => delivered / serverCpuSeconds;
