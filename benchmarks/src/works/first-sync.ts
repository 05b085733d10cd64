import type { FirstSyncFigures, FirstSyncLoad } from '../load/first-sync-program.js';
import { OBJECTS_PER_CHANGE } from '../load/library-content.js';
import type { Transport } from '../load/single-sync.js';
import { runLoad } from '../load-process.js';
import { type Subject, withServer } from '../server-process.js';
import { summarize } from '../statistics.js';
import { withGrowth } from './growth.js';
import { type SeedLibrary, withSeed } from './seed.js';
import { allowed, type Case, type Goal, profileOf, type RunOptions, ratios, type Work } from './work.js';

/** Replicas that are new to a library and are told all of it, one after the other. */
export const firstSync: Work = {
  name: 'first-sync',
  title: 'first sync: 1 k, 10 k, 100 k, 1 M objects, socket and HTTP',
  goal:
    '≥ 50 % of streaming the same bytes from SQLite; original ≥ 10×; extra RSS ≤ 64 MB; ' +
    'others’ p99 ≤ 50 ms meanwhile',
  run: async (options) => {
    const cases: Record<Transport, Case[]> = { socket: [], http: [] };
    for (const objects of [1_000, 10_000, 100_000, 1_000_000]) {
      if (objects === 1_000_000 && options.scale < 1) {
        options.say('1 M objects: left out of runs shorter than --scale 1');
        continue;
      }
      const { socket, http } = await runSize(objects, options);
      cases.socket.push(socket);
      cases.http.push(http);
    }
    return [...withGrowth(cases.socket), ...withGrowth(cases.http)];
  },
};

const PROGRAMS = { ours: undefined, floor: 'storing-floor', original: undefined } as const;
const MOST_FOR_THE_ORIGINAL = 100_000;
/** Up to here, what a replica costs that nobody knows yet weighs as much as what it is told. */
const MOST_FOR_THE_KNOWING = 1_000;
export const WARM_UP: SeedLibrary = { name: 'small', objects: 1_000, operations: 100 };
const DEADLINE_MS = 180_000;

const OF_THE_FLOOR = 0.5;
const TIMES_THE_ORIGINAL = 10;
const EXTRA_MEMORY = 64 * 1024 * 1024;
const OTHERS_P99_MS = 50;

/** A size, over both transports: the seeds are made once for both. */
async function runSize(objects: number, options: RunOptions): Promise<Record<Transport, Case>> {
  const library = { name: 'large', objects, operations: objects / OBJECTS_PER_CHANGE };
  const subjects: Subject[] = ['ours', 'floor'];
  if (objects <= MOST_FOR_THE_ORIGINAL) subjects.push('original');
  const seeds: Partial<Record<Subject, string>> = {};
  const seeded = async (rest: Subject[]): Promise<Record<Transport, Case>> => {
    const [subject, ...others] = rest;
    if (!subject) {
      return {
        socket: await runCase('socket', library, seeds, options),
        http: await runCase('http', library, seeds, options),
      };
    }
    return withSeed(subject, PROGRAMS[subject], [WARM_UP, library], (directory) => {
      seeds[subject] = directory;
      return seeded(others);
    });
  };
  return seeded(subjects);
}

async function runCase(
  transport: Transport,
  library: SeedLibrary,
  seeds: Partial<Record<Subject, string>>,
  options: RunOptions,
): Promise<Case> {
  const name = `${library.objects} objects, ${transport}`;
  const subjects = Object.keys(seeds) as Subject[];
  const figures: Record<Subject, FirstSyncFigures[]> = { ours: [], floor: [], original: [] };
  /** Of a floor that verifies tokens, and has stored who a replica is before it answers. */
  const knowing: FirstSyncFigures[] = [];
  for (let run = 0; run < options.runs; run++) {
    const measure = async (subject: Subject, into: FirstSyncFigures[], settings = {}) => {
      const told = await syncAfresh(subject, transport, library, {
        copyOf: seeds[subject]!,
        profile: profileOf(options, 'first-sync', name, run + 1, subject),
        scale: options.scale,
        settings,
      });
      into.push(told);
      options.say(
        `${name}, run ${run + 1}, ${subject}${into === knowing ? ' that knows replicas' : ''}: ${(told.serverCpuSeconds * 1000).toFixed(1)} CPU-ms and ` +
          `${(told.seconds * 1000).toFixed(1)} ms for ${(told.bytes / 1e6).toFixed(2)} MB (${told.syncs} syncs), ` +
          `${(told.extraMemory / 2 ** 20).toFixed(1)} MiB more memory` +
          (told.pings ? `, others’ p99 ${told.pings.p99.toFixed(1)} ms of ${told.pings.count}` : ''),
      );
    };
    for (const subject of subjects) await measure(subject, figures[subject]);
    if (library.objects <= MOST_FOR_THE_KNOWING) await measure('floor', knowing, { knowsReplicas: true });
  }
  const of = (subject: Subject, value: (told: FirstSyncFigures) => number) => figures[subject].map(value);
  const rate = (told: FirstSyncFigures) => library.objects / told.serverCpuSeconds;
  const perCpuSecond = (subject: Subject) => of(subject, rate);
  const perSecond = (subject: Subject) => of(subject, (told) => library.objects / told.seconds);
  const against = (text: string, peer: Subject, atLeast: number): Goal => ({
    text,
    atLeast,
    measured: summarize(ratios(perCpuSecond('ours'), perCpuSecond(peer))),
  });
  options.say(
    `${name}: ${summarize(ratios(perSecond('ours'), perSecond('floor'))).median.toFixed(2)} of the floor in wall time`,
  );
  return {
    name,
    unit: 'objects told per CPU-second of the server',
    figures: Object.fromEntries(subjects.map((subject) => [subject, summarize(perCpuSecond(subject))])),
    goals: [
      against('of the floor', 'floor', OF_THE_FLOOR),
      ...(knowing.length > 0
        ? [
            {
              text: 'of a floor that knows replicas',
              atLeast: OF_THE_FLOOR,
              measured: summarize(ratios(perCpuSecond('ours'), knowing.map(rate))),
            },
          ]
        : []),
      ...(seeds.original ? [against('times the original', 'original', TIMES_THE_ORIGINAL)] : []),
      allowed(
        'allowed extra memory by ours',
        EXTRA_MEMORY,
        of('ours', ({ extraMemory }) => extraMemory),
      ),
      allowed(
        'allowed p99 of others by ours',
        OTHERS_P99_MS,
        of('ours', ({ pings }) => pings!.p99),
      ),
    ],
    details: { ...figures, ...(knowing.length > 0 && { floorKnowingReplicas: knowing }) },
  };
}

/** Syncs of one library by fresh replicas, on a copy of a folder that holds it and {@link WARM_UP}. */
export function syncAfresh(
  subject: Subject,
  transport: Transport,
  { name, objects, operations }: SeedLibrary,
  {
    copyOf,
    profile,
    scale,
    settings,
  }: { copyOf: string; profile?: string | undefined; scale: number; settings?: object },
): Promise<FirstSyncFigures> {
  return withServer(subject, { program: PROGRAMS[subject], copyOf, profile, settings }, ({ base, pid }) =>
    runLoad<FirstSyncLoad, FirstSyncFigures>(
      'first-sync',
      {
        base,
        serverPid: pid,
        transport,
        library: name,
        objects,
        operations,
        warmUpLibrary: WARM_UP.name,
        // Until then the figures are of V8 as it compiles, which weighs on the larger program.
        warmUpMs: 5_000,
        measureMs: 3_000 * scale,
        // A busy original loses what a socket sends as it opens: then nothing would come any more.
        pings: subject !== 'original',
      },
      DEADLINE_MS,
    ),
  );
}
