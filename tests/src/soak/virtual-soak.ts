import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createVerdant, type Verdant } from '@verdant-web/core';
import { sqlShardStorage } from '@verdant-web/storage-sqlite';
import { Random } from '../../simulation/random.js';
import { VirtualTime } from '../../simulation/virtual-time.js';
import { CountedScheduler } from './counted-scheduler.js';
import { type DatabaseSizes, databasesIn } from './databases.js';
import { judge, type Quantity, type Row } from './flatness.js';
import { Library } from './library.js';
import { LoadClient } from './load-client.js';
import { virtualLine } from './virtual-line.js';

export interface VirtualSoakOptions {
  minutes: number;
  windows: number;
  /** Windows at the beginning that are not looked at. */
  warmUp: number;
  seed: number;
}

export interface VirtuallySoaked {
  rows: Row[];
  acknowledged: number;
  delivered: number;
  reconnections: number;
  steps: number;
  /** What the engine logged as errors. */
  errors: string[];
}

interface Sample extends DatabaseSizes {
  heapBytes: number;
  rssBytes: number;
  tasks: number;
  libraries: number;
  operations: number;
  descriptors: number;
}

const START = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const LIBRARIES = 6;
const SOCKETS = 3;
const SAMPLES_PER_WINDOW = 6;
const IDLE_MS = 30_000;
const WRITE_EVERY_MS = 1_500;
const POLL_EVERY_MS = 15_000;
const BEAT_EVERY_MS = 15_000;
const RECONNECT_EVERY_MS = 4 * MINUTE_MS;
const MIB = 1024 * 1024;

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
const whole = (value: number): string => String(Math.round(value));

const quantities: readonly Quantity<Sample>[] = [
  { name: 'heap, MiB', value: (s) => s.heapBytes, show: mib, slack: { share: 0.1, least: 2 * MIB } },
  { name: 'RSS, MiB', value: (s) => s.rssBytes, show: mib, slack: { share: 0.1, least: 8 * MIB } },
  { name: 'tasks in the scheduler', value: (s) => s.tasks, show: whole, slack: { share: 0.1, least: 10 } },
  { name: 'libraries in memory', value: (s) => s.libraries, show: whole, slack: { share: 0, least: 2 } },
  {
    name: 'operations in the log',
    value: (s) => s.operations,
    show: whole,
    slack: { share: 0.2, least: 50 },
  },
  { name: 'file descriptors', value: (s) => s.descriptors, show: whole, slack: { share: 0.05, least: 4 } },
  {
    name: 'databases, MiB',
    value: (s) => s.databaseBytes + s.keptKeyBytes,
    show: mib,
    slack: { share: 0.1, least: MIB },
  },
  { name: 'their logs (WAL), MiB', value: (s) => s.walBytes, show: mib, slack: { share: 0.1, least: MIB } },
];

/** One engine on SQLite files, in virtual time, used evenly: looks at whether anything of it grows. */
export async function soakVirtually({
  minutes,
  windows,
  warmUp,
  seed,
}: VirtualSoakOptions): Promise<VirtuallySoaked> {
  const directory = await mkdtemp(join(tmpdir(), 'verdant-soak-'));
  const time = new VirtualTime(START, new Random(seed, 'order'));
  const scheduler = new CountedScheduler(time.scope());
  const errors: string[] = [];
  let libraries = 0;
  const core = createVerdant({
    storage: sqlShardStorage({ databasesDirectory: directory, durability: 'normal' }),
    tokenSecret: 'the secret of a soak, never signed with',
    scheduler,
    libraryIdleMs: IDLE_MS,
    logLevel: 'debug',
    log: (level, ...args: unknown[]) => {
      const text = String(args[0]);
      if (text === 'A library is opened.') libraries++;
      if (text === 'A library has left memory.') libraries--;
      if (level === 'error') errors.push(args.map(String).join(' '));
    },
  });
  const crowd = new Crowd(core, time, new Random(seed, 'crowd'));
  const samples: Sample[] = [];
  const count = windows * SAMPLES_PER_WINDOW;
  try {
    for (let n = 1; n <= count; n++) {
      await time.runUntil(START + (n * minutes * MINUTE_MS) / count, () => false);
      // Asking opens them all.
      const inMemory = libraries;
      const operations = await settled(time, crowd.operations());
      samples.push({
        ...{ heapBytes: heapBytes(), tasks: scheduler.pending, libraries: inMemory, operations },
        rssBytes: process.memoryUsage.rss(),
        descriptors: readdirSync('/proc/self/fd').length,
        ...databasesIn(directory),
      });
    }
    return {
      rows: judge(samples, { windows, warmUp }, quantities),
      ...crowd.figures,
      steps: time.steps,
      errors,
    };
  } finally {
    crowd.leave();
    await settled(time, core.close());
    await rm(directory, { recursive: true, force: true });
  }
}

/** Devices that write, poll, and come back. Each library has a break now and then, in which it leaves memory. */
class Crowd {
  readonly #core: Verdant;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #devices: LoadClient[] = [];
  #reconnections = 0;
  #hasLeft = false;

  constructor(core: Verdant, time: VirtualTime, random: Random) {
    this.#core = core;
    this.#time = time;
    this.#random = random;
    for (let n = 0; n < LIBRARIES; n++) this.#populate(new Library(`soak-${n}`), n);
  }

  get figures() {
    const sum = (value: (device: LoadClient) => number) =>
      this.#devices.reduce((total, device) => total + value(device), 0);
    return {
      acknowledged: sum(({ acknowledged }) => acknowledged),
      delivered: sum(({ delivered }) => delivered),
      reconnections: this.#reconnections,
    };
  }

  /** Operations that are not folded yet, in all libraries. */
  async operations(): Promise<number> {
    let sum = 0;
    for (let n = 0; n < LIBRARIES; n++) {
      sum += (await this.#core.get(`soak-${n}`).getInfo())?.operationsCount ?? 0;
    }
    return sum;
  }

  leave(): void {
    this.#hasLeft = true;
    for (const device of this.#devices) device.close();
  }

  #populate(library: Library, number: number): void {
    // Eight of twenty minutes, each library its own: who polled counts as present for five more.
    const isBreak = () => (this.#time.now() / MINUTE_MS + 3 * number) % 20 >= 12;
    for (let n = 0; n <= SOCKETS; n++) {
      const line = virtualLine(this.#core, this.#time, library.id, `user-${n}`);
      const device = new LoadClient(line, library, `${library.id}-${n}`, () => this.#time.now());
      this.#devices.push(device);
      if (n === SOCKETS) {
        this.#nowAndThen(POLL_EVERY_MS, () => {
          if (!isBreak()) void device.poll().catch(() => {});
        });
        continue;
      }
      let isThere = false;
      const connect = () => {
        isThere = true;
        this.#reconnections++;
        device.connect();
      };
      this.#nowAndThen(WRITE_EVERY_MS * SOCKETS, () => {
        if (isBreak()) {
          isThere = false;
          device.close();
        } else if (isThere) device.write();
        else connect();
      });
      this.#nowAndThen(BEAT_EVERY_MS, () => device.beat());
      this.#nowAndThen(RECONNECT_EVERY_MS, () => isThere && connect());
    }
  }

  #nowAndThen(everyMs: number, act: () => void): void {
    const next = () => {
      if (this.#hasLeft) return;
      act();
      this.#time.schedule(everyMs * (0.5 + this.#random.next()), next);
    };
    this.#time.schedule(everyMs * this.#random.next(), next);
  }
}

/** What takes time, while time passes. */
async function settled<Result>(time: VirtualTime, promise: Promise<Result>): Promise<Result> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  while (!isSettled) await time.runUntil(time.now() + 1_000, () => isSettled);
  return promise;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  for (let times = 0; times < 2; times++) collect();
  return process.memoryUsage().heapUsed;
}
