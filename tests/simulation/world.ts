import { createVerdant } from '@verdant-web/core';
import type { LibraryId, Oid } from '@verdant-web/protocol';
import { type Cast, chooseCast } from './cast.js';
import { Checks } from './checks.js';
import { describeChange } from './describe-change.js';
import { createDisk, type Disk, type DiskKind } from './disk.js';
import { FaultCount } from './fault-count.js';
import { FaultyNetwork } from './faulty-network.js';
import { Happenings, LATEST_VERSION } from './happenings.js';
import { countLate } from './late-count.js';
import { mayBeSeenBy } from './objects.js';
import type { Outcome } from './outcome.js';
import { Random } from './random.js';
import { Reckoning } from './reckoning.js';
import { NOTHING_REDUCED, type Reduction } from './reduction.js';
import { ServerHost } from './server-host.js';
import { Trace } from './trace.js';
import { VirtualTime } from './virtual-time.js';
import type { WorldKind } from './world-kind.js';
import { dateWrongly } from './wrong-dates.js';

const LIBRARY = 'simulated' as LibraryId;
const START = 1_700_000_000_000;
const TRUANCY_MS = 2 * 60_000;
/** Enough for the client's delay of ten seconds and the server's own. */
const ROUND_MS = 40_000;

export interface WorldOptions {
  /** How many of the last lines of its trace are kept; default 60. */
  traceLines?: number;
  reduction?: Reduction;
  /** Default: the usual one. */
  kind?: WorldKind;
  /** The engine that the server runs; default: the real one. */
  engine?: typeof createVerdant;
}

/** Run the world that the seed determines: some minutes of edits and faults, then peace, then a reckoning. */
export async function runWorld(seed: number, options: WorldOptions = {}): Promise<Outcome> {
  const world = new World(seed, options);
  try {
    return await world.run();
  } finally {
    await world.end();
  }
}

class World {
  readonly #seed: number;
  readonly #kind: WorldKind;
  readonly #reduction: Reduction;
  readonly #plan: Random;
  readonly #time: VirtualTime;
  readonly #trace: Trace;
  readonly #faults: FaultCount;
  readonly #checks: Checks;
  readonly #diskKind: DiskKind;
  readonly #disk: Disk;
  readonly #host: ServerHost;
  readonly #network: FaultyNetwork;
  readonly #cast: Cast;
  readonly #happenings: Happenings;
  #hibernates = false;

  constructor(
    seed: number,
    { traceLines = 60, reduction = NOTHING_REDUCED, kind = 'usual', engine = createVerdant }: WorldOptions,
  ) {
    this.#seed = seed;
    this.#kind = kind;
    this.#reduction = reduction;
    const plan = new Random(seed, 'plan');
    this.#plan = plan;
    this.#time = new VirtualTime(START, new Random(seed, 'order'));
    this.#trace = new Trace(() => this.#time.now(), traceLines);
    this.#faults = new FaultCount(reduction.without);
    this.#checks = new Checks({ now: () => this.#time.now(), truancyMs: TRUANCY_MS });
    const note = (who: string, what: string) => this.#trace.note(who, what);
    this.#diskKind = plan.pick(DISKS);
    this.#disk = createDisk(this.#diskKind);
    this.#host = new ServerHost({
      time: this.#time,
      random: new Random(seed, 'storage'),
      faults: this.#faults,
      disk: this.#disk,
      engine,
      observer: {
        committed: (change) => {
          note('server', describeChange(change));
          this.#checks.committed(change);
        },
        evicted: (head) => {
          note('server', `is in epoch ${head.epoch}`);
          this.#checks.log.evict(head);
        },
      },
      settings: {
        replicaTruancyMinutes: TRUANCY_MS / 60_000,
        presenceLeaseMs: plan.pick([30_000, 300_000]),
        libraryIdleMs: plan.pick([0, 5_000, 60_000]),
        // In every other world a library is founded in pieces.
        ...(plan.chance(0.5) && { limits: { maxWholeMessageLength: 1 } }),
      },
      note: (what) => note('server', what),
      broke: (what) => this.#checks.fail('server', what),
      gone: () => this.#network.serverGone(),
    });
    this.#network = new FaultyNetwork({
      time: this.#time,
      random: new Random(seed, 'network'),
      faults: this.#faults,
      host: this.#host,
      checks: this.#checks,
      note,
    });
    this.#network.faulty = plan.chance(0.8);
    if (kind === 'hibernating') this.#hibernateAgainAndAgain(new Random(seed, 'hibernation'));
    const shared = { seed, libraryId: LIBRARY, time: this.#time, checks: this.#checks, note };
    this.#cast = chooseCast({ ...shared, network: this.#network }, reduction.without);
    const { replicas, migrates } = this.#cast;
    this.#happenings = new Happenings({
      ...{ ...shared, truancyMs: TRUANCY_MS, replicas, migrates },
      host: this.#host,
    });
  }

  async run(): Promise<Outcome> {
    await this.#host.start();
    this.#listen();
    const planned = this.#plan.between(2, 5) * 60_000;
    const eventfulMs = Math.min(planned, this.#reduction.untilMs ?? planned);
    this.#happenings.start(START + eventfulMs, this.#reduction.without);
    const { replicas } = this.#cast;
    dateWrongly(
      {
        ...{ kind: this.#kind, random: new Random(this.#seed, 'wrong dates') },
        ...{ replicas, time: this.#time, checks: this.#checks },
      },
      START + eventfulMs,
    );
    await this.#until(START + eventfulMs);
    if (!this.#broken) await this.#settle();
    if (this.#hibernates) {
      // The server is asked from here on: it has to be awake.
      this.#hibernates = false;
      await this.#until(this.#time.now() + 5_000);
    }
    const { log, failures } = this.#checks;
    const reckoning = new Reckoning({
      ...{ libraryId: LIBRARY, host: this.#host, time: this.#time, checks: this.#checks },
      replicas,
    });
    if (!this.#broken) await reckoning.compare();
    return {
      seed: this.#seed,
      kind: this.#kind,
      disk: this.#diskKind,
      reduction: this.#reduction,
      failures,
      trace: this.#trace.lines,
      operations: log.accepted,
      faults: this.#faults.counts,
      late: countLate(this.#checks, replicas),
      explained: reckoning.explained.size,
      steps: this.#time.steps,
      virtualMinutes: (this.#time.now() - START) / 60_000,
      eventfulMs,
      actions: this.#happenings.count,
    };
  }

  /** Leaves nothing behind. */
  async end(): Promise<void> {
    this.#host.stop();
    await this.#disk.remove();
  }

  #hibernateAgainAndAgain(random: Random): void {
    this.#hibernates = true;
    const sleep = () => {
      if (!this.#hibernates) return;
      void this.#host.hibernate(LIBRARY, this.#network);
      this.#time.schedule(random.between(200, 15_000), sleep);
    };
    this.#time.schedule(random.between(200, 15_000), sleep);
  }

  get #broken(): boolean {
    return this.#checks.failures.length > 0;
  }

  #until(at: number): Promise<void> {
    return this.#time.runUntil(at, () => this.#broken);
  }

  /** The app's own listeners hear of what is durable, and of refusals. */
  #listen(): void {
    // Subscriptions end with the process, so that each new one is listened to; looking now and then is enough.
    let heard: unknown = null;
    const look = () => {
      const core = this.#host.running?.core;
      if (core && core !== heard) {
        heard = core;
        core.events.subscribe('accessRefused', ({ userId, oid }) => {
          if (mayBeSeenBy(userId, oid as Oid)) this.#checks.fail('access', `${userId} may not write ${oid}`);
        });
        core.events.subscribe('changes', (_, operations) => {
          for (const { oid, timestamp } of operations) {
            if (!this.#checks.log.ever.has(`${timestamp} ${oid}`)) {
              this.#checks.fail('durable', `a listener is told of ${oid} ${timestamp}, which is not stored`);
            }
          }
        });
      }
      this.#time.schedule(100, look);
    };
    look();
  }

  async #settle(): Promise<void> {
    this.#trace.note('world', 'faults end');
    this.#network.faulty = false;
    this.#host.heal();
    const replicas = this.#cast.replicas.filter(({ id }) => !this.#reduction.without.has(id));
    for (const replica of replicas) {
      replica.goOnline();
      if (this.#cast.migrates) replica.upgrade(LATEST_VERSION);
      replica.open();
    }
    // Sockets that are half open are noticed, pages that wait for their clock are opened, held refusals let go.
    await this.#until(this.#time.now() + 75_000);
    for (let round = 0; round < 3 && !this.#broken; round++) {
      this.#trace.note('world', 'everybody connects again');
      for (const replica of replicas) {
        this.#time.schedule(this.#plan.below(200), () => replica.refresh());
      }
      await this.#until(this.#time.now() + ROUND_MS);
    }
  }
}

/** SQLite takes its time; most worlds have what behaves like it. */
const DISKS: readonly DiskKind[] = [
  ...Array<DiskKind>(6).fill('memory'),
  'a file for each library',
  'one file for all',
];
