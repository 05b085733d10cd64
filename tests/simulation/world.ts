import type { LibraryChange } from '@verdant-web/core';
import {
  type LibraryId,
  mayWrite,
  type Oid,
  parseOid,
  type ReplicaId,
  ReplicaType,
  rootOf,
  type UserId,
} from '@verdant-web/protocol';
import { Checks } from './checks.js';
import { FaultCount } from './fault-count.js';
import { FaultyNetwork } from './faulty-network.js';
import type { CommitFault } from './faulty-storage.js';
import { canonical, documentsOf, mayBeSeenBy } from './objects.js';
import { Random } from './random.js';
import { ServerHost } from './server-host.js';
import { SimulatedReplica } from './simulated-replica.js';
import { Trace } from './trace.js';
import { VirtualTime } from './virtual-time.js';

/** What came of a world. */
export interface Outcome {
  seed: number;
  /** Broken rules; empty: all is well. */
  failures: readonly string[];
  trace: readonly string[];
  operations: number;
  /** How often each kind of fault happened. */
  faults: Readonly<Record<string, number>>;
  /** Operations that were accepted although dated below an announced global ack. */
  late: number;
  /** Documents on which replicas, or the server, differ for no other reason than late operations. */
  explained: number;
  steps: number;
  virtualMinutes: number;
}

const LIBRARY = 'simulated' as LibraryId;
const START = 1_700_000_000_000;
const TRUANCY_MS = 2 * 60_000;
const MAX_SKEW_MS = 20_000;
/** Enough for the client's delay of ten seconds and the server's own. */
const ROUND_MS = 40_000;
/** An operation or two may wait for the next ack; a history that is not folded shows more. */
const FEW_OPERATIONS = 3;

const FAILURES: readonly CommitFault[] = ['fails before', 'fails after'];

/** Run the world that the seed determines: some minutes of edits and faults, then peace, then a reckoning. */
export async function runWorld(seed: number, options: { traceLines?: number } = {}): Promise<Outcome> {
  return new World(seed, options.traceLines ?? 60).run();
}

class World {
  readonly #seed: number;
  readonly #plan: Random;
  readonly #time: VirtualTime;
  readonly #trace: Trace;
  readonly #faults = new FaultCount();
  readonly #checks: Checks;
  readonly #host: ServerHost;
  readonly #network: FaultyNetwork;
  readonly #replicas: SimulatedReplica[] = [];
  readonly #actions: readonly { weight: number; act: () => void }[];
  /** Whether operations may come too late for some replica, though nobody is at fault but a clock, or the client. */
  #hasExcuse = false;
  /** Documents that differ only because of late operations. */
  readonly #explained = new Set<Oid>();

  constructor(seed: number, traceLines: number) {
    this.#seed = seed;
    const plan = new Random(seed, 'plan');
    this.#plan = plan;
    this.#time = new VirtualTime(START, new Random(seed, 'order'));
    this.#trace = new Trace(() => this.#time.now(), traceLines);
    this.#checks = new Checks({ now: () => this.#time.now(), truancyMs: TRUANCY_MS });
    this.#host = new ServerHost({
      time: this.#time,
      random: new Random(seed, 'storage'),
      faults: this.#faults,
      observer: {
        committed: (change) => {
          this.#trace.note('server', describeChange(change));
          this.#checks.committed(change);
        },
        evicted: (head) => {
          this.#trace.note('server', `is in epoch ${head.epoch}`);
          this.#checks.log.evict(head);
        },
      },
      settings: {
        replicaTruancyMinutes: TRUANCY_MS / 60_000,
        presenceLeaseMs: plan.pick([30_000, 300_000]),
        libraryIdleMs: plan.pick([0, 5_000, 60_000]),
        // In every other world a library is founded in pieces.
        ...(seed % 2 === 0 && { limits: { maxWholeMessageLength: 1 } }),
      },
      note: (what) => this.#trace.note('server', what),
      broke: (what) => this.#checks.fail('server', what),
      gone: () => this.#network.serverGone(),
    });
    this.#network = new FaultyNetwork({
      time: this.#time,
      random: new Random(seed, 'network'),
      faults: this.#faults,
      host: this.#host,
      checks: this.#checks,
      note: (who, what) => this.#trace.note(who, what),
    });
    this.#network.faulty = plan.chance(0.8);
    this.#populate(plan);
    this.#actions = this.#chooseActions(plan);
  }

  async run(): Promise<Outcome> {
    this.#host.start();
    this.#listen();
    const end = START + this.#plan.between(2, 5) * 60_000;
    this.#act(end);
    await this.#until(end);
    if (!this.#broken) await this.#settle();
    if (!this.#broken) await this.#reckon();
    const { log, failures } = this.#checks;
    return {
      seed: this.#seed,
      failures,
      trace: this.#trace.lines,
      operations: log.accepted,
      faults: this.#faults.counts,
      late: log.late,
      explained: this.#explained.size,
      steps: this.#time.steps,
      virtualMinutes: (this.#time.now() - START) / 60_000,
    };
  }

  get #broken(): boolean {
    return this.#checks.failures.length > 0;
  }

  #until(at: number): Promise<void> {
    return this.#time.runUntil(at, () => this.#broken);
  }

  // --- The cast -----------------------------------------------------------------------------------------------------

  #populate(plan: Random): void {
    const users = plan.between(1, 4);
    const count = plan.between(2, 6);
    const skewed = plan.chance(0.5);
    const shortReloads = plan.chance(0.4);
    const foldsBeforeFirstSync = plan.chance(0.25);
    this.#hasExcuse = skewed || foldsBeforeFirstSync;
    const longText = plan.chance(0.1);
    for (let index = 0; index < count; index++) {
      const replica = new SimulatedReplica({
        id: `r${index}` as ReplicaId,
        userId: `u${index < users ? index : plan.below(users)}` as UserId,
        libraryId: LIBRARY,
        type: index === 0 || plan.chance(0.5) ? ReplicaType.Realtime : plan.pick(Object.values(ReplicaType)),
        skewMs: skewed ? plan.between(-MAX_SKEW_MS, MAX_SKEW_MS) : 0,
        minClosedMs: shortReloads ? 0 : skewed ? 2 * MAX_SKEW_MS + 5_000 : 100,
        foldsBeforeFirstSync,
        longText,
        time: this.#time,
        random: new Random(this.#seed, `replica ${index}`),
        network: this.#network,
        checks: this.#checks,
        note: (who, what) => this.#trace.note(who, what),
      });
      this.#replicas.push(replica);
      this.#trace.note(replica.id, `is a replica of ${replica.userId}, type ${replica.type}`);
      this.#time.schedule(plan.chance(0.6) ? plan.below(2_000) : plan.below(90_000), () => replica.open());
    }
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

  // --- What happens -------------------------------------------------------------------------------------------------

  #chooseActions(plan: Random): { weight: number; act: () => void }[] {
    const host = this.#host;
    // Some worlds have an easy life, so that what goes wrong without faults is found without them.
    const server = plan.pick([0, 0.5, 1, 2]);
    const client = plan.pick([0, 1, 2]);
    const rare = plan.pick([0, 1, 2]);
    const someone = () => plan.pick(this.#replicas);
    const later = (low: number, high: number, act: () => void) =>
      this.#time.schedule(plan.between(low, high), act);
    return [
      { weight: 60, act: () => someone().edit() },
      {
        weight: 12,
        act: () => {
          const replica = someone();
          for (let count = plan.between(2, 8); count > 0; count--) later(0, 1_000, () => replica.edit());
        },
      },
      { weight: 1, act: () => this.#trespass(plan) },
      { weight: 3, act: () => someone().refresh() },
      {
        // Edits while a sync is under way.
        weight: 3,
        act: () => {
          const replica = someone();
          replica.refresh();
          for (let count = plan.between(1, 5); count > 0; count--) later(0, 400, () => replica.edit());
        },
      },
      { weight: 4 * client, act: () => this.#reload(someone(), plan.chance(0.5), plan.between(0, 3_000)) },
      {
        weight: 1.5 * client,
        act: () => this.#reload(someone(), plan.chance(0.5), plan.between(5_000, 60_000)),
      },
      {
        weight: 4 * client,
        act: () => {
          const replica = someone();
          replica.goOffline();
          later(500, 40_000, () => replica.goOnline());
        },
      },
      { weight: 6 * client, act: () => someone().dropSockets() },
      { weight: 4 * client, act: () => someone().changeMode() },
      { weight: server, act: () => host.crash('at any moment') },
      { weight: server, act: () => host.crashAfterEffects(plan.below(4)) },
      { weight: server, act: () => host.failNextCommit(plan.pick(['crash before', 'crash after'])) },
      { weight: server, act: () => host.failNextCommit(plan.pick(FAILURES)) },
      { weight: server, act: () => host.failReadAfter(plan.below(10)) },
      { weight: 0.7 * server, act: () => void host.restart() },
      { weight: 0.5 * rare, act: () => this.#administer('evict', (core) => core.evict(LIBRARY)) },
      {
        weight: 0.6 * rare,
        act: () => {
          const { id } = someone();
          this.#administer(`forceTruant ${id}`, (core) => core.get(LIBRARY).forceTruant(id));
        },
      },
      {
        weight: 0.4 * rare,
        act: () => {
          const { userId } = someone();
          this.#administer(`evictUser ${userId}`, (core) => core.get(LIBRARY).evictUser(userId));
        },
      },
      // Away for longer than truancy.
      {
        weight: 1 * rare,
        act: () =>
          this.#reload(someone(), plan.chance(0.5), plan.between(1.02 * TRUANCY_MS, 1.6 * TRUANCY_MS)),
      },
    ];
  }

  #act(end: number): void {
    const plan = this.#plan;
    const total = this.#actions.reduce((sum, { weight }) => sum + weight, 0);
    const next = () => {
      if (this.#time.now() >= end) return;
      let at = plan.next() * total;
      const action = this.#actions.find(({ weight }) => {
        at -= weight;
        return at < 0;
      });
      action?.act();
      this.#time.schedule(plan.chance(0.1) ? plan.between(2_000, 12_000) : plan.between(1, 2_000), next);
    };
    this.#time.schedule(1_000, next);
  }

  #reload(replica: SimulatedReplica, graceful: boolean, afterMs: number): void {
    replica.close({ graceful });
    this.#time.schedule(afterMs, () => replica.open());
  }

  #trespass(plan: Random): void {
    const replica = plan.pick(this.#replicas);
    if (!mayWrite(replica.type)) return;
    const others = this.#checks.log.operations.filter(
      ({ oid, authz }) => authz !== null && !mayBeSeenBy(replica.userId, oid),
    );
    if (others.length > 0) replica.trespass(rootOf(plan.pick(others).oid));
  }

  #administer(what: string, task: (core: NonNullable<ServerHost['running']>['core']) => Promise<void>): void {
    const process = this.#host.running;
    if (!process) return;
    this.#trace.note('server', what);
    task(process.core).catch((error: unknown) => {
      const text = String(error);
      if (!text.includes('simulated') && !text.includes('shutting down') && !text.includes('closed')) {
        this.#checks.fail('server', `${what} failed: ${text}`);
      }
    });
  }

  // --- Peace --------------------------------------------------------------------------------------------------------

  async #settle(): Promise<void> {
    this.#trace.note('world', 'faults end');
    this.#network.faulty = false;
    this.#host.heal();
    for (const replica of this.#replicas) {
      replica.goOnline();
      replica.open();
    }
    // Sockets that are half open are noticed, pages that wait for their clock are opened, held refusals let go.
    await this.#until(this.#time.now() + 75_000);
    for (let round = 0; round < 3 && !this.#broken; round++) {
      this.#trace.note('world', 'everybody connects again');
      for (const replica of this.#replicas) {
        this.#time.schedule(this.#plan.below(200), () => replica.refresh());
      }
      await this.#until(this.#time.now() + ROUND_MS);
    }
  }

  async #reckon(): Promise<void> {
    const process = this.#host.running;
    const { log } = this.#checks;
    if (!process) {
      this.#checks.fail('server', 'it is not running');
      return;
    }
    if (!log.head?.founded) return;
    const expected = documentsOf(log.objects());
    await this.#compareServer(expected, process);
    for (const replica of this.#replicas) this.#compareReplica(expected, replica);
    const info = await this.#ask(() => process.core.get(LIBRARY).getInfo());
    if (!info || info.operationsCount > FEW_OPERATIONS) {
      this.#checks.fail(
        'compaction',
        `${info?.operationsCount} operations are left, global ack ${info?.globalAck}: ${JSON.stringify(info?.replicas)}`,
      );
    }
  }

  async #compareServer(
    expected: ReadonlyMap<Oid, string>,
    process: NonNullable<ServerHost['running']>,
  ): Promise<void> {
    const roots = new Set<Oid>(expected.keys());
    for (const { oid } of this.#checks.log.operations) roots.add(oid.split(':')[0] as Oid);
    for (const root of roots) {
      const { collection, key } = parseOid(root);
      const document = await this.#ask(() => process.core.get(LIBRARY).getDocumentSnapshot(collection, key));
      const found = document === null ? undefined : canonical(document);
      if (found !== expected.get(root)) this.#differs('the server', root, found, expected.get(root), []);
    }
  }

  #compareReplica(expected: ReadonlyMap<Oid, string>, replica: SimulatedReplica): void {
    const found = replica.documents();
    for (const root of new Set([...found.keys(), ...expected.keys()])) {
      const seen = found.get(root);
      const right = mayBeSeenBy(replica.userId, root) ? expected.get(root) : undefined;
      if (seen === right) continue;
      const { lateRoots, strandedRoots, readerRoots } = replica.database;
      if (readerRoots.has(root)) continue;
      this.#differs(replica.id, root, seen, right, [lateRoots, strandedRoots]);
    }
  }

  /** A difference is a failure, unless an operation that came too late, or could not be offered, explains it. */
  #differs(
    who: string,
    root: Oid,
    found: string | undefined,
    expected: string | undefined,
    reasons: readonly ReadonlySet<Oid>[],
  ): void {
    if ([this.#checks.log.lateRoots, ...reasons].some((roots) => roots.has(root)) && this.#hasExcuse) {
      this.#explained.add(root);
      return;
    }
    this.#checks.fail('convergence', `${who} has ${root} as ${found}; it should be ${expected}`);
  }

  /** Ask the server something, while time passes. */
  async #ask<Result>(question: () => Promise<Result>): Promise<Result | null> {
    let answer: { result: Result } | null = null;
    question().then(
      (result) => {
        answer = { result };
      },
      (error: unknown) => this.#checks.fail('server', `it cannot say: ${String(error)}`),
    );
    await this.#time.runUntil(this.#time.now() + 10_000, () => answer !== null);
    return (answer as { result: Result } | null)?.result ?? null;
  }
}

function describeChange({
  head,
  operations = [],
  baselines = [],
  fold = [],
  replicas = [],
}: LibraryChange): string {
  const parts = operations.map(
    ({ order, oid, timestamp, authz }) => `${order} ${oid} @${timestamp}${authz ? ' private' : ''}`,
  );
  if (baselines.length > 0) parts.push(`${baselines.length} baselines`);
  if (fold.length > 0) parts.push(`folds ${fold.join(' ')}`);
  for (const { id, ackedOrder, ackedTime, pending } of replicas) {
    const waits = pending.map(
      ({ timestamp, order, reset }) => `, ${reset ? 'reset' : 'reply'} @${timestamp} through ${order}`,
    );
    parts.push(`${id} acked ${ackedOrder} @${ackedTime}${waits.join('')}`);
  }
  return `commits version ${head.version}: ${parts.join('; ')}; announced ${head.announcedAck}`;
}
