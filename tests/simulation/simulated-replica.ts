import {
  type LibraryId,
  mayUseSocket,
  mayWrite,
  type Oid,
  type ReplicaId,
  type ReplicaType,
  type Timestamp,
  type UserId,
} from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import type { Checks } from './checks.js';
import { ClientDatabase } from './client-database.js';
import { ClientPage } from './client-page.js';
import type { Endpoint, FaultyNetwork } from './faulty-network.js';
import { HybridClock } from './hybrid-clock.js';
import { documentsOf, idOf } from './objects.js';
import type { Random } from './random.js';
import { RandomEdits } from './random-edits.js';
import { UndoHistory } from './undo-history.js';
import type { Scope, VirtualTime } from './virtual-time.js';

export interface ReplicaOptions {
  id: ReplicaId;
  userId: UserId;
  libraryId: LibraryId;
  type: ReplicaType;
  /** How far its clock is off, in ms. */
  skewMs: number;
  /** How long a page stays closed at least, in ms. Longer than clocks differ: then its clock never falls back. */
  minClosedMs: number;
  foldsBeforeFirstSync: boolean;
  longText: boolean;
  time: VirtualTime;
  random: Random;
  network: FaultyNetwork;
  checks: Checks;
  note(who: string, what: string): void;
}

/**
 * How slow a clock may become: less than a minute behind the fastest. A client that is told of a time that is further ahead of
 * its own shuts down, whatever the server does.
 */
const SLOWEST_MS = -35_000;

/** A device: its disk, its clock, and the page that is open on it, if one is. */
export class SimulatedReplica implements Endpoint {
  readonly id: ReplicaId;
  readonly userId: UserId;
  readonly type: ReplicaType;
  /** How far its clock is off, in ms. */
  skewMs: number;
  /** By how much it was set back, in all, in ms. */
  setBackMs = 0;
  readonly database = new ClientDatabase();
  readonly token: VerifiedToken;
  online = true;
  readonly #options: ReplicaOptions;
  readonly #edits: RandomEdits;
  #page: { page: ClientPage; scope: Scope; history: UndoHistory } | null = null;
  #closedAt = Number.NEGATIVE_INFINITY;
  #wantsPage = false;
  /** Of the app's schema, and the one that the data on disk is of. */
  #version = 1;
  #migrated = 1;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.id = options.id;
    this.userId = options.userId;
    this.type = options.type;
    this.skewMs = options.skewMs;
    this.token = {
      userId: options.userId,
      libraryId: options.libraryId,
      syncEndpoint: 'http://simulated',
      fileEndpoint: 'http://simulated/files',
      type: options.type,
      role: undefined,
      expiresAt: options.time.now() + 365 * 86_400_000,
    };
    this.#edits = new RandomEdits(options);
    options.checks.addReplica(this);
  }

  get replica(): SimulatedReplica {
    return this;
  }

  get version(): number {
    return this.#version;
  }

  get isOpen(): boolean {
    return this.#page !== null;
  }

  /** Open a page, as soon as the device's clock has passed everything that an earlier one may have written. */
  open(): void {
    if (this.#wantsPage) return;
    this.#wantsPage = true;
    const { time, minClosedMs } = this.#options;
    time.schedule(Math.max(0, this.#closedAt + minClosedMs - time.now()), () => {
      if (this.#wantsPage && !this.#page) this.#load();
    });
  }

  /** The app was deployed anew: the page is loaded again, and migrates what the device holds. */
  upgrade(version: number): void {
    if (version <= this.#version) return;
    this.#version = version;
    this.close({ graceful: true });
    this.open();
  }

  /** Close the page. What was not stored yet is lost; without grace the server is not told. */
  close({ graceful }: { graceful: boolean }): void {
    this.#wantsPage = false;
    if (!this.#page) return;
    const { time, random, network, note } = this.#options;
    note(this.id, graceful ? 'page closes' : 'page dies');
    const { page, scope } = this.#page;
    this.#page = null;
    this.#closedAt = time.now();
    if (graceful) page.leave();
    scope.end();
    for (const link of network.linksOf(this)) {
      if (!graceful)
        link.pageDied(random.chance(0.3) ? random.between(1_000, 60_000) : random.between(0, 50));
    }
  }

  goOffline(): void {
    if (!this.online) return;
    this.online = false;
    this.#options.note(this.id, 'goes offline');
    for (const link of this.#options.network.linksOf(this)) this.#cut(link);
  }

  goOnline(): void {
    if (this.online) return;
    this.online = true;
    this.#options.note(this.id, 'is online');
  }

  /** Its sockets break, though it is online. */
  dropSockets(): void {
    for (const link of this.#options.network.linksOf(this)) this.#cut(link);
  }

  changeMode(): void {
    if (!this.#page || !mayUseSocket(this.type)) return;
    const mode = this.#page.page.mode === 'pull' ? 'realtime' : 'pull';
    this.#options.note(this.id, `changes to ${mode}`);
    this.#page.page.setMode(mode);
  }

  refresh(): void {
    this.#page?.page.refresh();
  }

  edit(): void {
    const readOnly = !mayWrite(this.type);
    // The client does not know that it may not write; few apps let it.
    if (readOnly && !this.#options.random.chance(0.05)) return;
    const history = this.#page?.history;
    this.#page?.page.write((clock) => {
      const operations = this.#edits.make(this.database, clock);
      history?.remember(operations);
      return operations;
    });
  }

  /** Take back what the page wrote last, or what it took back. */
  undo(again: boolean): void {
    const history = this.#page?.history;
    if (!history || !mayWrite(this.type)) return;
    this.#page?.page.write((clock) => (again ? history.redo(clock) : history.undo(clock)));
  }

  /** Write into somebody else's private document, as only a hostile client does. */
  trespass(root: Oid): void {
    this.#page?.page.write((clock) => {
      const operations = this.#edits.trespass(root, clock);
      for (const operation of operations) this.#options.checks.trespasses.add(idOf(operation));
      return operations;
    });
  }

  /** Write with these dates instead of those of its clock, as only a hostile client does. */
  misdate(now: () => Timestamp): void {
    if (!mayWrite(this.type)) return;
    this.#page?.page.write(() => {
      const operations = this.#edits.make(this.database, { now });
      for (const operation of operations) this.#options.checks.misdated.add(idOf(operation));
      return operations;
    });
  }

  /** Somebody sets its clock back, or the network does. */
  setClockBack(ms: number): void {
    const before = this.skewMs;
    this.skewMs = Math.max(before - ms, SLOWEST_MS);
    this.setBackMs += before - this.skewMs;
    this.#options.note(this.id, `clock is set back by ${before - this.skewMs} ms`);
  }

  /** The documents that it shows. */
  documents(): Map<Oid, string> {
    return documentsOf(this.database.readAll());
  }

  #load(): void {
    const { time, random, network, checks, foldsBeforeFirstSync, note } = this.#options;
    const scope = time.scope();
    note(this.id, `page opens, last synced ${this.database.lastSynced}`);
    const clock = new HybridClock(() => time.now() + this.skewMs, random.name(7), this.#version);
    if (this.#migrated < this.#version && mayWrite(this.type)) {
      const operations = this.#edits.migrate(this.database, clock);
      note(this.id, `migrates to ${this.#version}: ${operations.length} operations`);
      this.database.addOperations(operations, true);
    }
    this.#migrated = this.#version;
    const page = new ClientPage({
      replicaId: this.id,
      database: this.database,
      clock,
      network: network.forPage(this, scope),
      scope,
      random,
      mode: mayUseSocket(this.type) && random.chance(0.7) ? 'realtime' : 'pull',
      foldsBeforeFirstSync,
      note: (what) => note(this.id, what),
      broke: (error) => checks.fail('client', `${this.id} would shut down: ${String(error)}`),
    });
    this.#page = { page, scope, history: new UndoHistory(this.database) };
    page.start();
  }

  #cut(link: { cut(when: { serverNoticesAfter: number; clientNoticesAfter: number }): void }): void {
    const { random, network } = this.#options;
    const halfOpen = random.chance(0.25);
    network.options.faults.add(halfOpen ? 'half-open connection' : 'connection cut');
    link.cut({
      serverNoticesAfter: halfOpen ? random.between(1_000, 60_000) : random.between(0, 60),
      clientNoticesAfter: random.between(0, 60),
    });
  }
}
