import { cpuSeconds, forgetPeakMemory, peakMemory, residentMemory } from '../process-figures.js';
import { createClock } from './clock.js';
import { type PingFigures, startPings } from './pings.js';
import { listedIn, syncOnce, type Transport } from './single-sync.js';

/*
 * Fresh replicas that sync a library for the first time, one after the other: at first alone, for the server's processor
 * time and memory, then while somebody writes to another library, for how long those writes wait.
 */

export interface FirstSyncLoad {
  base: string;
  serverPid: number;
  transport: Transport;
  library: string;
  /** What it holds. */
  objects: number;
  operations: number;
  /** A small library, to warm up on. */
  warmUpLibrary: string;
  warmUpMs: number;
  measureMs: number;
  /** Whether somebody writes to another library at the end. */
  pings: boolean;
}

export interface FirstSyncFigures {
  syncs: number;
  /** Of one reply. */
  bytes: number;
  /** For one sync. */
  seconds: number;
  serverCpuSeconds: number;
  memoryBefore: number;
  /** Beyond what it had before, while it answered. */
  extraMemory: number;
  /** How long small writes to another library took while others synced. */
  pings: PingFigures | null;
}

const LEAST_SYNCS = 2;
const load = JSON.parse(process.argv[2]!) as FirstSyncLoad;
const { base, transport } = load;
const now = createClock();
let replicas = 0;

// All of one user: over HTTP each is there for a while after its poll, and the next would be told of all those users.
const user = `fresh-${process.pid}`;
const firstSync = (library: string) =>
  syncOnce({ base, transport, library, user, replica: `${user}-${replicas++}`, timestamp: now() });

await syncFor(load.warmUpLibrary, load.warmUpMs);

const memoryBefore = residentMemory(load.serverPid);
forgetPeakMemory(load.serverPid);
const started = performance.now();
const cpuBefore = cpuSeconds(load.serverPid);
const { syncs, last } = await syncFor(load.library, load.measureMs);
const seconds = (performance.now() - started) / 1000 / syncs;
const serverCpuSeconds = (cpuSeconds(load.serverPid) - cpuBefore) / syncs;
const extraMemory = peakMemory(load.serverPid) - memoryBefore;

const listed = listedIn(last);
if (listed.baselines !== load.objects || listed.operations !== load.operations) {
  throw new Error(
    `A reply lists ${listed.baselines} objects and ${listed.operations} operations, not ${load.objects} and ${load.operations}`,
  );
}

const figures: FirstSyncFigures = {
  syncs,
  bytes: last.length,
  seconds,
  serverCpuSeconds,
  memoryBefore,
  extraMemory,
  pings: load.pings ? await withPings() : null,
};
process.send!(figures, () => process.exit());

async function withPings(): Promise<PingFigures> {
  const pings = await startPings(load.base);
  pings.measure();
  await syncFor(load.library, load.measureMs);
  return pings.end();
}

async function syncFor(library: string, ms: number): Promise<{ syncs: number; last: Buffer }> {
  const begun = performance.now();
  let syncs = 0;
  let last: Buffer = Buffer.of();
  while (syncs < LEAST_SYNCS || performance.now() - begun < ms) {
    last = await firstSync(library);
    syncs++;
  }
  return { syncs, last };
}
