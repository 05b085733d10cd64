import { build } from 'hdr-histogram-js';
import { cpuSeconds, peakMemory } from '../process-figures.js';
import { summarize } from '../statistics.js';
import { connectReplica } from './replica.js';
import { writeOne } from './writing.js';

/*
 * The load of many libraries, each with two sockets: one writes as fast as it is confirmed, both acknowledge. Most
 * have one message under way, some are greedy.
 */

export interface ManyLoad {
  base: string;
  serverPid: number;
  libraries: number;
  /** Each so manieth library is greedy, and has this many messages under way. */
  greedy: { each: number; window: number };
  warmUpMs: number;
  measureMs: number;
  /** Measurement does not end before so many operations arrived in the median library, or this passed. */
  enough: number;
  patienceMs: number;
}

export interface ManyFigures {
  /** How long it took until all were connected and had synced. */
  connectSeconds: number;
  /** And until something had arrived in each library. */
  warmUpSeconds: number;
  seconds: number;
  serverCpuSeconds: number;
  serverPeakMemory: number;
  loadCpuSeconds: number;
  /** Operations that arrived. */
  delivered: number;
  /** Of each library. */
  deliveredOfALibrary: { least: number; median: number; most: number };
  latencyMs: { p50: number; p99: number; max: number };
}

const OBJECTS_OF_A_LIBRARY = 10;
const CONNECTING_AT_ONCE = 32;
const load = JSON.parse(process.argv[2]!) as ManyLoad;

const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000 });
/** Of each library. */
const delivered = new Array<number>(load.libraries).fill(0);
const starts: (() => void)[] = [];

async function connectLibrary(index: number): Promise<void> {
  const [writer, reader] = [
    await connectReplica(load.base, `library-${index}`, `writer-${index}`),
    await connectReplica(load.base, `library-${index}`, `reader-${index}`),
  ];
  const sentAt = new Map<string, number>();
  let round = 0;
  const write = () => {
    const begun = performance.now();
    sentAt.set(writeOne(writer, round++, OBJECTS_OF_A_LIBRARY), begun);
  };
  writer.onMessage = ({ type }) => {
    if (type === 'server-ack') write();
  };
  reader.onMessage = ({ type, operations }) => {
    if (type !== 'op-re') return;
    for (const { timestamp } of operations!) {
      const sent = sentAt.get(timestamp);
      if (sent === undefined) throw new Error(`${reader.id} was sent ${timestamp} twice, or without need`);
      sentAt.delete(timestamp);
      delivered[index]!++;
      histogram.recordValue(Math.max(1, Math.round((performance.now() - sent) * 1000)));
    }
  };
  const window = index % load.greedy.each === 0 ? load.greedy.window : 1;
  starts.push(() => {
    for (let sent = 0; sent < window; sent++) write();
  });
}

async function passed(ms: number, isEnough: () => boolean): Promise<number> {
  const begun = performance.now();
  const elapsed = () => performance.now() - begun;
  while (elapsed() < ms || (!isEnough() && elapsed() < load.patienceMs)) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(ms, 100)));
  }
  return elapsed() / 1000;
}

const connectingSince = performance.now();
const indexes = delivered.keys();
await Promise.all(
  Array.from({ length: CONNECTING_AT_ONCE }, async () => {
    for (const index of indexes) await connectLibrary(index);
  }),
);
const connectSeconds = (performance.now() - connectingSince) / 1000;
for (const start of starts) start();
// A library's first change is its dearest: it is what makes its file.
const warmUpSeconds = await passed(load.warmUpMs, () => delivered.every((of) => of > 0));
histogram.reset();
delivered.fill(0);
const [server, own] = [cpuSeconds(load.serverPid), cpuSeconds(process.pid)];
const seconds = await passed(load.measureMs, () => summarize(delivered).median >= load.enough);
const ms = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
const figures: ManyFigures = {
  connectSeconds,
  warmUpSeconds,
  seconds,
  serverCpuSeconds: cpuSeconds(load.serverPid) - server,
  serverPeakMemory: peakMemory(load.serverPid),
  loadCpuSeconds: cpuSeconds(process.pid) - own,
  delivered: delivered.reduce((sum, of) => sum + of, 0),
  deliveredOfALibrary: summarize(delivered),
  latencyMs: { p50: ms(50), p99: ms(99), max: histogram.maxValue / 1000 },
};
process.send!(figures, () => process.exit());
