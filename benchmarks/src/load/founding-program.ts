import { cpuSeconds, forgetPeakMemory, peakMemory, residentMemory } from '../process-figures.js';
import { createClock } from './clock.js';
import { baselinesText, changesText, OBJECTS_PER_CHANGE } from './library-content.js';
import { type PingFigures, startPings } from './pings.js';
import { syncOnce, type Transport } from './single-sync.js';

/*
 * Libraries that are founded one after the other, each by one message: at first alone, for the server's processor time
 * and memory, then while somebody writes to another library, for how long those writes wait.
 */

export interface FoundingLoad {
  base: string;
  serverPid: number;
  transport: Transport;
  objects: number;
  /** How many libraries are founded before it is measured. */
  warmUps: number;
  measureMs: number;
}

export interface FoundingFigures {
  foundings: number;
  /** Of one message. */
  bytes: number;
  /** For one founding, from before the message is sent until its reply is here. */
  seconds: number;
  serverCpuSeconds: number;
  /** What the server does in the seconds after the last reply, for each founding: folding, above all. */
  serverCpuSecondsAfter: number;
  extraMemory: number;
  pings: PingFigures;
}

const LEAST_FOUNDINGS = 2;
/** Of those that are measured alone: each is followed by a pause. */
const MOST_FOUNDINGS = 10;
/** Longer than ours waits until it folds. */
const AFTER_MS = 1_000;
const load = JSON.parse(process.argv[2]!) as FoundingLoad;
const { objects } = load;
const now = createClock();
const baselines = baselinesText(objects, now);
const operations = changesText(objects / OBJECTS_PER_CHANGE, objects, now);
let libraries = 0;

const found = () => {
  const user = `founder-${libraries}`;
  const library = `founded-${libraries++}`;
  return syncOnce({ ...load, library, user, timestamp: now(), baselines, operations });
};

for (let founding = 0; founding < load.warmUps; founding++) await found();
await new Promise((resolve) => setTimeout(resolve, AFTER_MS));

const memoryBefore = residentMemory(load.serverPid);
forgetPeakMemory(load.serverPid);
let foundings = 0;
let ms = 0;
let serverCpuSeconds = 0;
let serverCpuSecondsAfter = 0;
while (foundings < LEAST_FOUNDINGS || (foundings < MOST_FOUNDINGS && ms < load.measureMs)) {
  const cpuBefore = cpuSeconds(load.serverPid);
  const started = performance.now();
  await found();
  ms += performance.now() - started;
  foundings++;
  const cpuAtReply = cpuSeconds(load.serverPid);
  serverCpuSeconds += cpuAtReply - cpuBefore;
  // What is folded is no part of the next founding.
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  serverCpuSecondsAfter += cpuSeconds(load.serverPid) - cpuAtReply;
}
const extraMemory = peakMemory(load.serverPid) - memoryBefore;

const pings = await startPings(load.base);
pings.measure();
await foundFor(load.measureMs);
const figures: FoundingFigures = {
  foundings,
  bytes: baselines.length + operations.length,
  seconds: ms / 1000 / foundings,
  serverCpuSeconds: serverCpuSeconds / foundings,
  serverCpuSecondsAfter: serverCpuSecondsAfter / foundings,
  extraMemory,
  pings: await pings.end(),
};
process.send!(figures, () => process.exit());

/** One after the other. */
async function foundFor(ms: number): Promise<void> {
  const begun = performance.now();
  let foundings = 0;
  while (foundings < LEAST_FOUNDINGS || performance.now() - begun < ms) {
    await found();
    foundings++;
  }
}
