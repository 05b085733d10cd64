import { build } from 'hdr-histogram-js';
import { cpuSeconds, peakMemory } from '../process-figures.js';
import { createPoller, type Poller } from './poller.js';

/*
 * The load of polling: replicas with nothing new take turns on a bounded number of connections, each of which sends
 * the next poll as soon as the one before is answered.
 */

export interface IdlePollLoad {
  base: string;
  serverPid: number;
  libraries: number;
  /** Each of a user of its own. */
  replicasOfALibrary: number;
  connections: number;
  warmUpMs: number;
  measureMs: number;
  /** Neither warm-up nor measurement ends before so many polls were answered, or the patience is over. */
  enough: number;
  patienceMs: number;
}

export interface IdlePollFigures {
  seconds: number;
  serverCpuSeconds: number;
  serverPeakMemory: number;
  loadCpuSeconds: number;
  polls: number;
  /** More than polls where the server asked for its answer to be acknowledged. */
  requests: number;
  /** Of the answers' bodies. */
  bytes: number;
  latencyMs: { p50: number; p99: number; max: number };
}

const load = JSON.parse(process.argv[2]!) as IdlePollLoad;
const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000 });
let [polls, requests, bytes] = [0, 0, 0];
let isOver = false;

/** Whose turn it is: the first. */
const waiting: Poller[] = [];
for (let library = 0; library < load.libraries; library++) {
  for (let replica = 0; replica < load.replicasOfALibrary; replica++) {
    waiting.push(
      await createPoller({
        base: load.base,
        library: `library-${library}`,
        user: `user-${library}-${replica}`,
        connections: load.connections,
      }),
    );
  }
}

// The first finds its library empty and founds it; the others are reset; the second time all is confirmed.
for (let round = 0; round < 2; round++) for (const poller of waiting) await poller.poll();

async function connection(): Promise<void> {
  while (!isOver) {
    const poller = waiting.shift()!;
    const sentAt = performance.now();
    const answer = await poller.poll();
    if (answer.brings > 0) throw new Error(`${poller.id} had nothing new to be sent, and was sent something`);
    histogram.recordValue(Math.max(1, Math.round((performance.now() - sentAt) * 1000)));
    polls++;
    requests += answer.requests;
    bytes += answer.bytes;
    waiting.push(poller);
  }
}
const connections = Array.from({ length: load.connections }, connection);
const ended = Promise.all(connections);

// On a busy machine a server would be measured cold.
async function passed(ms: number): Promise<void> {
  const begun = performance.now();
  const since = polls;
  const elapsed = () => performance.now() - begun;
  while (elapsed() < ms || (polls - since < load.enough && elapsed() < load.patienceMs)) {
    await Promise.race([new Promise((resolve) => setTimeout(resolve, Math.min(ms, 100))), ended]);
  }
}

await passed(load.warmUpMs);
histogram.reset();
[polls, requests, bytes] = [0, 0, 0];
const started = performance.now();
const [server, own] = [cpuSeconds(load.serverPid), cpuSeconds(process.pid)];
await passed(load.measureMs);
const ms = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
const figures: IdlePollFigures = {
  seconds: (performance.now() - started) / 1000,
  serverCpuSeconds: cpuSeconds(load.serverPid) - server,
  serverPeakMemory: peakMemory(load.serverPid),
  loadCpuSeconds: cpuSeconds(process.pid) - own,
  polls,
  requests,
  bytes,
  latencyMs: { p50: ms(50), p99: ms(99), max: histogram.maxValue / 1000 },
};
isOver = true;
await ended;
process.send!(figures, () => process.exit());
