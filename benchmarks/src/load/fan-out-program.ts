import { build } from 'hdr-histogram-js';
import { cpuSeconds, peakMemory } from '../process-figures.js';
import { connectReplica, type Replica } from './replica.js';
import { isOf, writeOne } from './writing.js';

/*
 * The load of one library: writers that always have `window` messages under way, everyone else listens, and all
 * acknowledge. The clock that latencies are read from is this process's own.
 */

export interface FanOutLoad {
  base: string;
  serverPid: number;
  sockets: number;
  writers: number;
  /** Messages that a writer has sent and the server has not confirmed yet. */
  window: number;
  /** Given: writes come at this pace, all writers together, whether or not what came before is confirmed. */
  writesPerSecond?: number;
  warmUpMs: number;
  measureMs: number;
  /** Neither warm-up nor measurement ends before all sockets had a full window of every writer, or this passed. */
  patienceMs: number;
}

export interface FanOutFigures {
  seconds: number;
  serverCpuSeconds: number;
  serverPeakMemory: number;
  loadCpuSeconds: number;
  /** Operations that arrived, one for each socket that it arrived at. */
  delivered: number;
  /** Operations that the server confirmed. */
  confirmed: number;
  /** Frames of all types, and bytes, that arrived. */
  frames: number;
  bytes: number;
  /** From before a write until it arrived elsewhere. */
  latencyMs: { p50: number; p99: number; max: number };
}

const OBJECTS_OF_A_WRITER = 100;
const load = JSON.parse(process.argv[2]!) as FanOutLoad;
const LIBRARY = 'the-library';

const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000 });
/** By timestamp; what everyone else has is forgotten. */
const underWay = new Map<string, { sentAt: number; missing: number }>();
let [delivered, confirmed, frames, bytes] = [0, 0, 0, 0];

const write = (replica: Replica, round: number, sentAt = performance.now()) => {
  const timestamp = writeOne(replica, round, OBJECTS_OF_A_WRITER);
  underWay.set(timestamp, { sentAt, missing: load.sockets - 1 });
};

const replicas: Replica[] = [];
for (let index = 0; index < load.sockets; index++) {
  replicas.push(await connectReplica(load.base, LIBRARY, `user-${index}`));
}

for (const [index, replica] of replicas.entries()) {
  let round = load.window;
  replica.onMessage = (message, length) => {
    frames++;
    bytes += length;
    if (message.type === 'server-ack' && index < load.writers) {
      confirmed++;
      if (!load.writesPerSecond) write(replica, round++);
    }
    if (message.type !== 'op-re') return;
    for (const { oid, timestamp } of message.operations!) {
      // Ours tells a writer of its own, too, that a library's content may have wiped: what it wrote before it acknowledged that.
      if (isOf(replica, oid)) continue;
      const sent = underWay.get(timestamp);
      if (!sent) throw new Error(`${replica.id} was sent ${timestamp} once more than there are sockets`);
      delivered++;
      histogram.recordValue(Math.max(1, Math.round((performance.now() - sent.sentAt) * 1000)));
      if (--sent.missing === 0) underWay.delete(timestamp);
    }
  };
}
const writers = replicas.slice(0, load.writers);
if (load.writesPerSecond) pace(load.writesPerSecond);
else for (const writer of writers) for (let round = 0; round < load.window; round++) write(writer, round);

// What is late by the server's fault, or by this process's, counts from when it was due: nobody's wait is left out.
function pace(writesPerSecond: number): void {
  const begun = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = ((performance.now() - begun) / 1000) * writesPerSecond;
    for (; sent < due; sent++) {
      const round = Math.floor(sent / writers.length);
      write(writers[sent % writers.length]!, round, begun + (sent / writesPerSecond) * 1000);
    }
  }, 1);
}

// Whoever is slow is given time enough to be measured at all: its messages come a window at a time.
async function passed(ms: number): Promise<void> {
  const begun = performance.now();
  const since = delivered;
  const enough = load.writers * load.window * (load.sockets - 1);
  const elapsed = () => performance.now() - begun;
  while (elapsed() < ms || (delivered - since < enough && elapsed() < load.patienceMs)) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(ms, 100)));
  }
}

await passed(load.warmUpMs);
histogram.reset();
[delivered, confirmed, frames, bytes] = [0, 0, 0, 0];
const started = performance.now();
const [server, own] = [cpuSeconds(load.serverPid), cpuSeconds(process.pid)];
await passed(load.measureMs);
const ms = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
const figures: FanOutFigures = {
  seconds: (performance.now() - started) / 1000,
  serverCpuSeconds: cpuSeconds(load.serverPid) - server,
  serverPeakMemory: peakMemory(load.serverPid),
  loadCpuSeconds: cpuSeconds(process.pid) - own,
  delivered,
  confirmed,
  frames,
  bytes,
  latencyMs: { p50: ms(50), p99: ms(99), max: histogram.maxValue / 1000 },
};
process.send!(figures, () => process.exit());
