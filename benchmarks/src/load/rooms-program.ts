import { cpuSeconds } from '../process-figures.js';
import { range } from '../works/range.js';
import { connectReplica, type Replica } from './replica.js';
import { writeOne } from './writing.js';

/*
 * Libraries with some sockets each, in which people write at a pace, and are there: what a server does all day. Nobody
 * waits for an answer, so the server's processor time is that of this load and no more.
 */

export interface RoomsLoad {
  base: string;
  serverPid: number;
  libraries: number;
  socketsOfALibrary: number;
  /** Of all together. */
  writesPerSecond: number;
  heartbeatsPerSecond: number;
  warmUpMs: number;
  measureMs: number;
}

export interface RoomsFigures {
  seconds: number;
  serverCpuSeconds: number;
  writes: number;
  heartbeats: number;
  /** Operations that arrived, one for each socket that it arrived at. */
  delivered: number;
}

const OBJECTS_OF_A_WRITER = 10;
/** So many times the pace, at first: at its own, V8 would take a minute until all is compiled. */
const WARM_UP_HASTE = 6;
/** From then on it is the pace alone. */
const CALM_MS = 2_000;
const load = JSON.parse(process.argv[2]!) as RoomsLoad;
const replicas: Replica[] = [];
// Side by side in the list: sockets of different libraries. So one library after the other is written to.
for (const socket of range(0, load.socketsOfALibrary)) {
  for (const library of range(0, load.libraries)) {
    replicas.push(await connectReplica(load.base, `room-${library}`, `user-${library}-${socket}`));
  }
}

let [writes, heartbeats, delivered] = [0, 0, 0];
let haste = WARM_UP_HASTE;
for (const replica of replicas) {
  replica.onMessage = ({ type, operations }) => {
    if (type === 'op-re') delivered += operations!.length;
  };
}

const next = (count: number) => replicas[count % replicas.length]!;
pace(load.writesPerSecond, () => {
  writeOne(next(writes), Math.floor(writes / replicas.length), OBJECTS_OF_A_WRITER);
  writes++;
});
pace(load.heartbeatsPerSecond, () => {
  next(heartbeats++).send({ type: 'heartbeat' });
});

function pace(perSecond: number, act: () => void): void {
  let last = performance.now();
  let due = 0;
  setInterval(() => {
    const now = performance.now();
    due += ((now - last) / 1000) * perSecond * haste;
    last = now;
    for (; due >= 1; due--) act();
  }, 1);
}

const passed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

await passed(load.warmUpMs);
haste = 1;
await passed(CALM_MS);
const before = { writes, heartbeats, delivered };
const started = performance.now();
const cpuBefore = cpuSeconds(load.serverPid);
await passed(load.measureMs);
const figures: RoomsFigures = {
  seconds: (performance.now() - started) / 1000,
  serverCpuSeconds: cpuSeconds(load.serverPid) - cpuBefore,
  writes: writes - before.writes,
  heartbeats: heartbeats - before.heartbeats,
  delivered: delivered - before.delivered,
};
process.send!(figures, () => process.exit());
