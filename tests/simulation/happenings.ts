import type { Verdant } from '@verdant-web/core';
import { type LibraryId, mayWrite, rootOf } from '@verdant-web/protocol';
import type { Checks } from './checks.js';
import type { CommitFault } from './faulty-storage.js';
import { mayBeSeenBy } from './objects.js';
import { Random } from './random.js';
import type { ServerHost } from './server-host.js';
import type { SimulatedReplica } from './simulated-replica.js';
import type { VirtualTime } from './virtual-time.js';

export interface HappeningsOptions {
  seed: number;
  libraryId: LibraryId;
  truancyMs: number;
  replicas: readonly SimulatedReplica[];
  /** Whether the app is deployed anew now and then, with a schema that has changed. */
  migrates: boolean;
  host: ServerHost;
  time: VirtualTime;
  checks: Checks;
  note(who: string, what: string): void;
}

interface Action {
  weight: number;
  act(random: Random): void;
}

const FAILURES: readonly CommitFault[] = ['fails before', 'fails after', 'conflicts'];

/** Of the app's schema, at the end of a world in which it changes. */
export const LATEST_VERSION = 3;

/**
 * What users, devices, networks and machines do, one action after the other. Each has a number, and draws from a stream of its own: one
 * that is left out leaves the others as they are.
 */
export class Happenings {
  /** How many were drawn. */
  count = 0;
  readonly #options: HappeningsOptions;
  readonly #actions: readonly Action[];

  constructor(options: HappeningsOptions) {
    this.#options = options;
    this.#actions = this.#choose(new Random(options.seed, 'actions'));
  }

  /** Acts until `end`, without the actions that `without` names by their number. */
  start(end: number, without: ReadonlySet<string>): void {
    const { seed, time } = this.#options;
    const total = this.#actions.reduce((sum, { weight }) => sum + weight, 0);
    const next = () => {
      if (time.now() >= end) return;
      const number = this.count++;
      const random = new Random(seed, `action ${number}`);
      let at = random.next() * total;
      const action = this.#actions.find(({ weight }) => {
        at -= weight;
        return at < 0;
      });
      time.schedule(random.chance(0.1) ? random.between(2_000, 12_000) : random.between(1, 2_000), next);
      if (!without.has(String(number))) action?.act(random);
    };
    time.schedule(1_000, next);
  }

  #choose(plan: Random): Action[] {
    const { host, libraryId, truancyMs, replicas } = this.#options;
    // Some worlds have an easy life, so that what goes wrong without faults is found without them.
    const server = plan.pick([0, 0.5, 1, 2]);
    const client = plan.pick([0, 1, 2]);
    const rare = plan.pick([0, 1, 2]);
    const migrates = this.#options.migrates ? 1 : 0;
    const someone = (random: Random) => random.pick(replicas);
    return [
      { weight: 60, act: (random) => someone(random).edit() },
      { weight: 12, act: (random) => this.#edits(someone(random), random.between(2, 8), 1_000, random) },
      { weight: 6, act: (random) => someone(random).undo(random.chance(0.3)) },
      { weight: 1, act: (random) => this.#trespass(random) },
      { weight: 3, act: (random) => someone(random).refresh() },
      {
        // Edits while a sync is under way.
        weight: 3,
        act: (random) => {
          const replica = someone(random);
          replica.refresh();
          this.#edits(replica, random.between(1, 5), 400, random);
        },
      },
      { weight: 4 * client, act: (random) => this.#reload(random, 0, 3_000) },
      { weight: 1.5 * client, act: (random) => this.#reload(random, 5_000, 60_000) },
      {
        weight: 4 * client,
        act: (random) => {
          const replica = someone(random);
          replica.goOffline();
          this.#later(random, 500, 40_000, () => replica.goOnline());
        },
      },
      { weight: 6 * client, act: (random) => someone(random).dropSockets() },
      { weight: 4 * client, act: (random) => someone(random).changeMode() },
      { weight: server, act: () => host.crash('at any moment') },
      { weight: server, act: (random) => host.crashAfterEffects(random.below(4)) },
      { weight: server, act: (random) => host.failNextCommit(random.pick(['crash before', 'crash after'])) },
      { weight: server, act: (random) => host.failNextCommit(random.pick(FAILURES)) },
      { weight: server, act: (random) => host.failReadAfter(random.below(10)) },
      { weight: 0.7 * server, act: () => void host.restart() },
      { weight: 0.5 * rare, act: () => this.#administer('evict', (core) => core.evict(libraryId)) },
      {
        weight: 0.6 * rare,
        act: (random) => {
          const { id } = someone(random);
          this.#administer(`forceTruant ${id}`, (core) => core.get(libraryId).forceTruant(id));
        },
      },
      {
        weight: 0.4 * rare,
        act: (random) => {
          const { userId } = someone(random);
          this.#administer(`evictUser ${userId}`, (core) => core.get(libraryId).evictUser(userId));
        },
      },
      {
        weight: migrates,
        act: (random) => {
          const replica = someone(random);
          replica.upgrade(Math.min(LATEST_VERSION, replica.version + 1));
        },
      },
      // Away for longer than truancy.
      { weight: 1 * rare, act: (random) => this.#reload(random, 1.02 * truancyMs, 1.6 * truancyMs) },
    ];
  }

  #later(random: Random, low: number, high: number, act: () => void): void {
    this.#options.time.schedule(random.between(low, high), act);
  }

  #edits(replica: SimulatedReplica, count: number, withinMs: number, random: Random): void {
    for (let left = count; left > 0; left--) this.#later(random, 0, withinMs, () => replica.edit());
  }

  #reload(random: Random, low: number, high: number): void {
    const replica = random.pick(this.#options.replicas);
    replica.close({ graceful: random.chance(0.5) });
    this.#later(random, low, high, () => replica.open());
  }

  #trespass(random: Random): void {
    const { replicas, checks } = this.#options;
    const replica = random.pick(replicas);
    if (!mayWrite(replica.type)) return;
    const others = checks.log.operations.filter(
      ({ oid, authz }) => authz !== null && !mayBeSeenBy(replica.userId, oid),
    );
    if (others.length > 0) replica.trespass(rootOf(random.pick(others).oid));
  }

  #administer(what: string, task: (core: Verdant) => Promise<void>): void {
    const { host, checks, note } = this.#options;
    const process = host.running;
    if (!process) return;
    host.count(what.split(' ')[0]!);
    note('server', what);
    task(process.core).catch((error: unknown) => {
      const text = String(error);
      if (!text.includes('simulated') && !text.includes('shutting down') && !text.includes('closed')) {
        checks.fail('server', `${what} failed: ${text}`);
      }
    });
  }
}
