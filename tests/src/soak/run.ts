import { setTimeout as pause } from 'node:timers/promises';
import { Program } from '../abuse/program.js';
import { removeFolder, temporaryFolder } from '../server.js';
import { judge, type Quantity, type Row } from './flatness.js';
import type { Question as LoadQuestion, Told as LoadTold, Progress } from './load-program.js';
import type { Measures, Question, Told } from './server-program.js';

export interface SoakOptions {
  seconds: number;
  libraries: number;
  sockets: number;
  /** Operations a second; null: half of what saturates the server. */
  rate: number | null;
  windows: number;
  note(what: string): void;
}

export interface Soaked {
  rows: Row[];
  /** Operations a second, offered and acknowledged. */
  rate: number;
  reached: number;
  progress: Progress;
  errors: number;
  /** CPU seconds a second, of the server. */
  load: number;
}

const SAMPLES_PER_WINDOW = 12;
const SATURATE_MS = 12_000;
const MIB = 1024 * 1024;

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
const whole = (value: number): string => String(Math.round(value));

const quantities: readonly Quantity<Measures>[] = [
  { name: 'heap, MiB', value: (m) => m.heapBytes, show: mib, slack: { share: 0.1, least: 2 * MIB } },
  {
    name: 'outside the heap, MiB',
    value: (m) => m.externalBytes,
    show: mib,
    slack: { share: 0.1, least: 2 * MIB },
  },
  { name: 'RSS, MiB', value: (m) => m.rssBytes, show: mib, slack: { share: 0.1, least: 8 * MIB } },
  { name: 'file descriptors', value: (m) => m.descriptors, show: whole, slack: { share: 0.05, least: 4 } },
  { name: 'timers', value: (m) => m.timers, show: whole, slack: { share: 0.1, least: 10 } },
  { name: 'other handles', value: (m) => m.handles, show: whole, slack: { share: 0.05, least: 4 } },
  {
    name: 'databases without kept keys, MiB',
    value: (m) => m.databaseBytes,
    show: mib,
    slack: { share: 0.1, least: 2 * MIB },
  },
  // They grow for two hours: whether they then stop is judged in virtual time, which gets that far.
  { name: 'keys, kept for 2 hours, MiB', value: (m) => m.keptKeyBytes, show: mib, slack: null },
  {
    name: 'databases with them, MiB',
    value: (m) => m.databaseBytes + m.keptKeyBytes,
    show: mib,
    slack: null,
  },
  { name: 'their logs (WAL), MiB', value: (m) => m.walBytes, show: mib, slack: { share: 0.1, least: MIB } },
];

/** Loads a server evenly for some time, and looks at whether anything of it grows. */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const directory = await temporaryFolder();
  const server = new Program<Question, Told>('../soak/server-program.ts', [directory]);
  let load: Program<LoadQuestion, LoadTold> | undefined;
  try {
    const { port } = (await server.told()) as { port: number };
    const { libraries, sockets } = options;
    const args = [`http://127.0.0.1:${port}`, String(libraries), String(sockets)];
    load = new Program<LoadQuestion, LoadTold>('../soak/load-program.ts', args);
    await load.told();
    return await soaked(options, server, load);
  } finally {
    await load?.stop();
    await server.stop();
    await removeFolder(directory);
  }
}

async function soaked(
  { seconds, rate: wished, windows, note }: SoakOptions,
  server: Program<Question, Told>,
  load: Program<LoadQuestion, LoadTold>,
): Promise<Soaked> {
  const measure = () => server.ask<Measures>({ ask: 'measure' });
  const setRate = (rate: number | null) => load.ask<Progress>({ ask: 'rate', rate });

  const rate = wished ?? (await saturation(setRate, note)) / 2;
  note(`${rate.toFixed(0)} operations a second from now on`);
  const before = await setRate(rate);
  const first = await measure();
  const started = performance.now();
  const samples: Measures[] = [];
  const count = windows * SAMPLES_PER_WINDOW;
  for (let n = 1; n <= count; n++) {
    await pause(Math.max(0, started + (n * seconds * 1_000) / count - performance.now()));
    const sample = await measure();
    samples.push(sample);
    if (n % SAMPLES_PER_WINDOW === 0) {
      note(
        `heap ${mib(sample.heapBytes)} MiB, RSS ${mib(sample.rssBytes)} MiB, databases ${mib(sample.databaseBytes + sample.keptKeyBytes)} MiB`,
      );
    }
  }
  const took = (performance.now() - started) / 1_000;
  const progress = await load.ask<Progress>({ ask: 'report' });
  const last = samples.at(-1)!;
  return {
    rows: judge(samples, { windows, warmUp: 1 }, quantities),
    rate,
    reached: (progress.acknowledged - before.acknowledged) / took,
    progress,
    errors: last.errors,
    load: (last.cpuSeconds - first.cpuSeconds) / took,
  };
}

/** Operations a second when everybody writes as fast as it is confirmed. */
async function saturation(
  setRate: (rate: number | null) => Promise<Progress>,
  note: (what: string) => void,
): Promise<number> {
  await setRate(null);
  await pause(SATURATE_MS / 4);
  const before = await setRate(null);
  await pause(SATURATE_MS);
  const after = await setRate(0);
  const rate = (after.acknowledged - before.acknowledged) / (SATURATE_MS / 1_000);
  note(`saturated at ${rate.toFixed(0)} operations a second`);
  return rate;
}
