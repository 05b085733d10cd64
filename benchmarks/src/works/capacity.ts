import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processorShare } from '../capacity/model.js';
import { capacityTable } from '../capacity/table.js';
import { costsIn } from '../capacity/unit-costs.js';
import type { RoomsFigures, RoomsLoad } from '../load/rooms-program.js';
import { runLoad } from '../load-process.js';
import { readResult } from '../results.js';
import { withServer } from '../server-process.js';
import { summarize } from '../statistics.js';
import { type Case, profileOf, type RunOptions, type Work } from './work.js';

/** What the things cost that a server does all day, and whether they add up to what a server does. */
export const capacity: Work = {
  name: 'capacity',
  title: 'unit costs at a pace, and a day’s load that they should add up to',
  goal: 'none: told',
  run: async (options) => {
    const runs: UnitFigures[] = [];
    for (let run = 0; run < options.runs; run++) runs.push(await measure(options, run));
    const of = (figure: keyof UnitFigures) => runs.map((told) => told[figure]);
    const caseOf = (name: keyof UnitFigures, unit: string): Case => ({
      name,
      unit,
      figures: { ours: summarize(of(name)) },
      goals: [],
      details: { ours: runs },
    });
    const cases = [
      caseOf('write', 'µs of the server’s processor'),
      caseOf('delivery', 'µs of the server’s processor'),
      caseOf('heartbeat', 'µs of the server’s processor'),
      caseOf('flush', 'µs'),
      caseOf('foretold', 'of what was measured'),
    ];
    const medians = cases.map(({ name, figures }) => [name, String(figures.ours!.median)]);
    options.say(`\n${capacityTable(costsIn(Object.fromEntries(medians), readResult))}`);
    return cases;
  },
};

interface UnitFigures {
  write: number;
  delivery: number;
  heartbeat: number;
  flush: number;
  /** The share of the processor that the model says, by the one that was measured. */
  foretold: number;
}

type Rooms = Pick<RoomsLoad, 'libraries' | 'socketsOfALibrary' | 'writesPerSecond' | 'heartbeatsPerSecond'>;

const PAIRS: Rooms = { libraries: 100, socketsOfALibrary: 2, writesPerSecond: 200, heartbeatsPerSecond: 0 };
const TEAMS: Rooms = { libraries: 20, socketsOfALibrary: 20, writesPerSecond: 100, heartbeatsPerSecond: 0 };
const PRESENT: Rooms = {
  libraries: 100,
  socketsOfALibrary: 2,
  writesPerSecond: 0,
  heartbeatsPerSecond: 2_000,
};
/** None of the above: what is foretold. */
const A_DAY: Rooms = { libraries: 60, socketsOfALibrary: 8, writesPerSecond: 150, heartbeatsPerSecond: 500 };
const DEADLINE_MS = 120_000;

async function measure(options: RunOptions, run: number): Promise<UnitFigures> {
  const told = {
    pairs: await runRooms('pairs', PAIRS, options, run),
    teams: await runRooms('teams', TEAMS, options, run),
    present: await runRooms('present', PRESENT, options, run),
    day: await runRooms('a day', A_DAY, options, run),
  };
  // A write, and a delivery for each: two equations.
  const delivery =
    (ofAWrite(told.teams) - ofAWrite(told.pairs)) / (perWrite(told.teams) - perWrite(told.pairs));
  const write = ofAWrite(told.pairs) - perWrite(told.pairs) * delivery;
  const heartbeat = (told.present.serverCpuSeconds * 1e6) / told.present.heartbeats;
  const flush = flushMicroseconds();
  const costs = { write, delivery, heartbeat, flush, objectTold: 0, socketKiB: 0, libraryKiB: 0 };
  const { seconds, serverCpuSeconds, writes, delivered, heartbeats } = told.day;
  const perSecond = {
    writes: writes / seconds,
    deliveries: delivered / seconds,
    heartbeats: heartbeats / seconds,
    objectsTold: 0,
  };
  const foretold = processorShare(costs, perSecond) / (serverCpuSeconds / seconds);
  options.say(
    `run ${run + 1}: a write ${write.toFixed(0)} µs, a delivery ${delivery.toFixed(1)}, a heartbeat ${heartbeat.toFixed(1)}, ` +
      `a flush ${flush.toFixed(0)}; a day’s load takes ${(serverCpuSeconds / seconds).toFixed(2)} of a core, ` +
      `foretold ${foretold.toFixed(2)} of that`,
  );
  return { write, delivery, heartbeat, flush, foretold };
}

const ofAWrite = ({ serverCpuSeconds, writes }: RoomsFigures) => (serverCpuSeconds * 1e6) / writes;
const perWrite = ({ delivered, writes }: RoomsFigures) => delivered / writes;

function runRooms(name: string, rooms: Rooms, options: RunOptions, run: number): Promise<RoomsFigures> {
  const profile = profileOf(options, 'capacity', name, run + 1);
  return withServer('ours', { profile, settings: { oneFile: true } }, ({ base, pid }) =>
    runLoad<RoomsLoad, RoomsFigures>(
      'rooms',
      { base, serverPid: pid, ...rooms, warmUpMs: 6_000 * options.scale, measureMs: 6_000 * options.scale },
      DEADLINE_MS,
    ),
  );
}

const FLUSHES = 200;

/** How long the disk takes to keep a page. */
function flushMicroseconds(): number {
  const path = join(tmpdir(), `verdant-bench-flush-${process.pid}`);
  const file = openSync(path, 'w');
  const page = Buffer.alloc(4096);
  const begun = performance.now();
  for (let flush = 0; flush < FLUSHES; flush++) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  const elapsed = performance.now() - begun;
  closeSync(file);
  rmSync(path);
  return (elapsed * 1000) / FLUSHES;
}
