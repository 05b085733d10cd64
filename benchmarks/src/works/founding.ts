import type { FoundingFigures, FoundingLoad } from '../load/founding-program.js';
import type { Transport } from '../load/single-sync.js';
import { runLoad } from '../load-process.js';
import { withServer } from '../server-process.js';
import { summarize } from '../statistics.js';
import { withGrowth } from './growth.js';
import { allowed, type Case, profileOf, type RunOptions, ratios, type Work } from './work.js';

/** Libraries that are founded, each by one message with all that it holds. */
export const founding: Work = {
  name: 'founding',
  title: 'founding sync: 10 k, 100 k objects in one message',
  goal: '≤ 2 × parse + one bulk insert of the same; others’ p99 ≤ 50 ms',
  run: async (options) => {
    const cases: Case[] = [];
    for (const transport of ['socket', 'http'] as const) {
      const smaller = await runCase(10_000, transport, options);
      cases.push(...withGrowth([smaller, await runCase(100_000, transport, options)]));
    }
    return cases;
  },
};

const SUBJECTS = ['ours', 'floor'] as const;
type Founder = (typeof SUBJECTS)[number];
const PROGRAMS = { ours: undefined, floor: 'storing-floor' } as const;
const DEADLINE_MS = 180_000;
/** So many objects are founded before it is measured, in two libraries at least. */
const WARM_UP_OBJECTS = 100_000;

const OF_THE_FLOOR = 0.5;
const OTHERS_P99_MS = 50;

async function runCase(objects: number, transport: Transport, options: RunOptions): Promise<Case> {
  const name = `${objects} objects, ${transport}`;
  const figures: Record<Founder, FoundingFigures[]> = { ours: [], floor: [] };
  for (let run = 0; run < options.runs; run++) {
    for (const subject of SUBJECTS) {
      const profile = profileOf(options, 'founding', name, run + 1, subject);
      const told = await runOnce(subject, objects, transport, { profile, scale: options.scale });
      figures[subject].push(told);
      options.say(
        `${name}, run ${run + 1}, ${subject}: ${(told.serverCpuSeconds * 1000).toFixed(0)} CPU-ms and ` +
          `${(told.seconds * 1000).toFixed(0)} ms for ${(told.bytes / 1e6).toFixed(1)} MB, ` +
          `afterwards ${(told.serverCpuSecondsAfter * 1000).toFixed(0)} CPU-ms (${told.foundings} foundings), ` +
          `others’ p99 ${told.pings.p99.toFixed(1)} ms of ${told.pings.count}`,
      );
    }
  }
  const perCpuSecond = (subject: Founder) =>
    figures[subject].map(({ serverCpuSeconds }) => objects / serverCpuSeconds);
  return {
    name,
    unit: 'objects founded per CPU-second of the server',
    figures: { ours: summarize(perCpuSecond('ours')), floor: summarize(perCpuSecond('floor')) },
    goals: [
      {
        text: 'of the floor',
        atLeast: OF_THE_FLOOR,
        measured: summarize(ratios(perCpuSecond('ours'), perCpuSecond('floor'))),
      },
      allowed(
        'allowed p99 of others by ours',
        OTHERS_P99_MS,
        figures.ours.map(({ pings }) => pings.p99),
      ),
    ],
    details: figures,
  };
}

function runOnce(
  subject: Founder,
  objects: number,
  transport: Transport,
  { profile, scale }: { profile: string | undefined; scale: number },
): Promise<FoundingFigures> {
  return withServer(subject, { program: PROGRAMS[subject], profile }, ({ base, pid }) =>
    runLoad<FoundingLoad, FoundingFigures>(
      'founding',
      {
        base,
        serverPid: pid,
        transport,
        objects,
        warmUps: Math.max(2, WARM_UP_OBJECTS / objects),
        measureMs: 3_000 * scale,
      },
      DEADLINE_MS,
    ),
  );
}
