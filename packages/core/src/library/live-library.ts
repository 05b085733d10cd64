import type { LibraryId, ReplicaId, UserId } from '@verdant-web/protocol';
import { LibraryFiles } from '../files/library-files.js';
import type { Log } from '../log.js';
import { PresenceFanOut } from '../presence/fan-out.js';
import { type Announced, PresenceBoard } from '../presence/presence.js';
import type { Services } from '../services.js';
import type { LibraryChange, LibraryStorage } from '../storage/storage.js';
import { asVerdantError } from './as-verdant-error.js';
import { Batches } from './batches.js';
import { Conflict } from './conflict.js';
import type { SocketConnection } from './connection.js';
import { awaitedSince } from './consensus.js';
import { Inbox } from './inbox.js';
import { Pin } from './pin.js';
import { Rebaser } from './rebaser.js';
import { Releaser } from './releaser.js';
import { type RestingLease, Roll } from './roll.js';
import { Settler } from './settler.js';
import { changeSoftly, keepRequests, type LibraryState, loadState, replicaOf } from './state.js';
import type { Unit } from './unit.js';
import { encodeMessage } from './wire.js';

/** After a failure, what goes on behind the batches waits this long. */
const RETRY_MS = 5_000;

/** A task that meets another writer is done anew this often. */
const MAX_RETRIES = 2;

/** What settling takes without folding anything, next to folding an operation. */
const SETTLING_SIZE = 4;

/**
 * Longer than a request is under way. An evicted library stays in memory for so long, since what is known of requests that may come
 * once more is nowhere else.
 */
const UNDER_WAY_MS = 60_000;

/**
 * A library in memory: one inbox, worked off batch by batch.
 *
 * take what waits → gather facts → decide → one commit → release effects. Nothing leaves before it is durable, messages
 * of one connection keep their order, and between batches acks are settled and history is folded.
 */
export class LiveLibrary {
  readonly id: LibraryId;
  readonly storage: LibraryStorage;
  readonly services: Services;
  /** Of this library. */
  readonly log: Log;
  readonly board = new PresenceBoard();
  readonly presence: PresenceFanOut;
  readonly roll: Roll;
  readonly pins = new Set<Pin>();
  /** When it was last evicted, in ms, while it was in memory. */
  evictedAt = Number.NEGATIVE_INFINITY;
  readonly files = new LibraryFiles(this);
  state: LibraryState;
  readonly settler: Settler;
  readonly #rebaser: Rebaser;
  readonly #releaser: Releaser;
  readonly #batches: Batches;
  readonly #inbox = new Inbox();
  #tasks: (() => Promise<void>)[] = [];
  #running = false;
  /** To do what is due behind the batches. */
  #behindTurn: 'none' | 'asked' | 'given' = 'none';
  #closed = false;
  #lastActive: number;
  #holds = 0;
  #idleWaiters: (() => void)[] = [];

  private constructor(id: LibraryId, storage: LibraryStorage, services: Services, state: LibraryState) {
    this.id = id;
    this.storage = storage;
    this.services = services;
    this.log = services.log.with({ libraryId: id });
    this.state = state;
    this.#lastActive = services.scheduler.now();
    const { limits } = services.settings;
    this.presence = new PresenceFanOut(limits.maxPresenceMessagesPerSecond, services.scheduler);
    this.#rebaser = new Rebaser(this);
    this.settler = new Settler(this, this.#rebaser);
    this.#releaser = new Releaser(this);
    this.#batches = new Batches(this, this.#releaser);
    this.roll = new Roll({
      scheduler: services.scheduler,
      leaseMs: services.settings.presenceLeaseMs,
      listener: {
        replicaLeft: (userId, replicaId, userGone) => this.#replicaLeft(userId, replicaId, userGone),
        userCame: (userId) => services.events.emit('userConnected', { libraryId: id, userId }),
        userLeft: (userId) => services.events.emit('userDisconnected', { libraryId: id, userId }),
      },
    });
  }

  static async open(id: LibraryId, storage: LibraryStorage, services: Services): Promise<LiveLibrary> {
    const started = services.scheduler.now();
    const activeSince = started - services.settings.truancyMs;
    const library = new LiveLibrary(id, storage, services, await loadState(storage, activeSince));
    library.log.debug?.(
      {
        operations: library.state.head.operations,
        baselines: library.state.head.baselines,
        replicas: library.state.replicas.size,
        ms: services.scheduler.now() - started,
      },
      'A library is opened.',
    );
    // What was foldable when the library was last in memory still is.
    library.settler.soon();
    return library;
  }

  /** Work this off, after what came before it on its connection. */
  receive(unit: Unit): void {
    this.#inbox.push(unit);
    this.wake();
  }

  /** Do this alone, between batches; anew, where another writer came first. */
  exclusively<Result>(task: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const attempt = (left: number): Promise<void> =>
        task().then(resolve, async (error) => {
          // Whether or not what failed took effect, the storage knows.
          const known = await this.reload(error);
          if (known && left > 0 && error instanceof Conflict) return attempt(left - 1);
          reject(error);
        });
      this.#tasks.push(() => attempt(MAX_RETRIES));
      this.wake();
    });
  }

  /** Stay in memory until {@link release} is called as often. */
  hold(): void {
    this.#holds++;
  }

  release(): void {
    this.#holds--;
    this.#lastActive = this.services.scheduler.now();
  }

  /** Something arrived on a socket: what was sent to it some time before was received. */
  heard(socket: SocketConnection): void {
    socket.delivery.heard(this.services.scheduler.now());
  }

  /** A socket left, or was refused. `tookLeave`: by the client's own will, which is the last that is heard of it. */
  leave(socket: SocketConnection, tookLeave: boolean): void {
    if (tookLeave && socket.synced && this.roll.sockets.has(socket)) {
      this.heard(socket);
      this.#releaser.holds(socket);
    }
    const row = replicaOf(socket, this.state);
    if (row && socket.synced && this.roll.sockets.has(socket)) {
      const now = this.services.scheduler.now();
      changeSoftly(this.state, { ...row, lastSeen: now }, now);
    }
    this.presence.socketLeft(socket);
    this.roll.leave(socket);
  }

  /** Keep history from being folded until the pin is released. */
  pin(): Pin {
    const pin = new Pin(this.services.scheduler, () => {
      this.pins.delete(pin);
      this.wake();
    });
    this.pins.add(pin);
    return pin;
  }

  /** Commit a change that was decided on the present state, and make it the state. Takes what is dirty with it. */
  async commit(change: Omit<LibraryChange, 'expect'>): Promise<void> {
    const { epoch, version } = this.state.head;
    const replicas = new Map(
      [...this.state.dirty.keys()].flatMap((id) => {
        const row = this.state.replicas.get(id);
        return row ? [[id, row] as const] : [];
      }),
    );
    for (const row of change.replicas ?? []) replicas.set(row.id, row);
    for (const id of change.removeReplicas ?? []) replicas.delete(id);
    const result = await this.storage.commit({
      ...change,
      expect: { epoch, version },
      replicas: [...replicas.values()],
    });
    if (!result.ok) throw new Conflict();
    this.state.head = change.head;
    this.state.dirty.clear();
    for (const row of change.replicas ?? []) this.state.replicas.set(row.id, row);
  }

  /** Wall-clock ms; replicas not seen since are truant. */
  get activeSince(): number {
    return this.services.scheduler.now() - this.services.settings.truancyMs;
  }

  /** When (wall-clock ms) more can be folded though nobody comes, since a replica turns truant; null: never. */
  get foldableAt(): number | null {
    const { settings } = this.services;
    const { head, replicas } = this.state;
    if (settings.disableRebasing || head.operations === 0) return null;
    const since = awaitedSince(replicas.values(), this.roll, this.activeSince, head.order);
    return since === null ? null : since + settings.truancyMs + 1;
  }

  /** Called now and then: replicas turn truant by the clock alone. */
  tick(): void {
    this.settler.soon();
  }

  /** Since when (ms) the library could leave memory; null: it is in use. */
  get idleSince(): number | null {
    const busy = this.#running || !this.#inbox.isEmpty || this.#tasks.length > 0 || this.pins.size > 0;
    if (busy || this.#holds > 0 || !this.roll.isEmpty || this.#rebaser.isDue) return null;
    const { scheduler } = this.services;
    return scheduler.now() - this.evictedAt < UNDER_WAY_MS ? null : this.#lastActive;
  }

  /** Resolves when nothing waits to be worked off. */
  async drained(): Promise<void> {
    while (this.#running || !this.#inbox.isEmpty || this.#tasks.length > 0) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  /** Write what is in memory only. */
  async flush(): Promise<void> {
    await this.drained();
    if (this.state.dirty.size === 0 || this.state.head.version === 0) return;
    await this.exclusively(() => this.commit({ head: this.state.head }));
    await this.drained();
  }

  /** Write what is in memory only, and let go of the storage. */
  async close(): Promise<void> {
    await this.drained();
    // What the last connections left behind may be settled and folded when it is opened again.
    this.#closed = true;
    this.settler.stop();
    this.#rebaser.stop();
    this.roll.clear();
    this.presence.clear();
    for (const pin of this.pins) pin.break();
    if (this.state.dirty.size > 0) await this.commit({ head: this.state.head });
    await this.storage.close();
  }

  wake(): void {
    if (this.#closed) return;
    if (this.#isBehindDue && this.#behindTurn === 'none') {
      this.#behindTurn = 'asked';
      this.services.workBehind.ask(this.#behindSize, () => {
        this.#behindTurn = 'given';
        // It is its turn now: in a round it would meet others whose turn comes later.
        if (!this.#closed && !this.#running) void this.#run();
      });
    }
    if (this.#running || !this.#hasWork) return;
    this.#running = true;
    this.services.rounds.join(() => void this.#run());
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#hasWork) {
        await this.#workOnce();
        if (this.#hasWork) await this.pause();
      }
    } catch (error) {
      // Only a bug gets here. What waits is failed rather than left without an answer.
      this.log.error?.({ err: error }, 'A library failed.');
      for (const unit of this.#inbox.takeAll()) unit.failed(asVerdantError(error));
    }
    this.#running = false;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
    this.wake();
  }

  get #hasWork(): boolean {
    return !this.#inbox.isEmpty || this.#tasks.length > 0 || this.#behindTurn === 'given';
  }

  /** How much of a turn that takes at most, where each operation may have to be folded. */
  get #behindSize(): number {
    return SETTLING_SIZE + this.state.head.operations;
  }

  /** Whether something is to go on behind the batches, in turn with all other libraries. */
  get #isBehindDue(): boolean {
    return this.settler.isDue || (this.#rebaser.isDue && this.pins.size === 0);
  }

  /** A batch, then at most one slice of what goes on behind it. */
  async #workOnce(): Promise<void> {
    const task = this.#tasks.shift();
    // What goes on behind the batches is no use of the library: it would never leave memory.
    if (task || !this.#inbox.isEmpty) this.#lastActive = this.services.scheduler.now();
    if (task) await task();
    if (!this.#inbox.isEmpty) await this.#batches.workOff(this.#batches.take(this.#inbox));
    if (this.#behindTurn === 'given') {
      this.#behindTurn = 'none';
      if (this.settler.isDue) await this.#behind(() => this.settler.run());
      else if (this.#rebaser.isDue && this.pins.size === 0) await this.#behind(() => this.#rebaser.slice());
    }
  }

  /** Work that nobody waits for. Where it fails, it is tried again later. */
  async #behind(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.log.error?.({ err: error }, 'A library could not be written; it is tried again.');
      this.#rebaser.isDue = false;
      this.settler.soon(RETRY_MS);
      await this.reload(error);
    }
  }

  /** Let others have a turn. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.services.rounds.join(resolve));
  }

  /**
   * Read the state again, after a commit that failed or met another writer. Where something is stored that was not heard
   * of here, nobody who is connected was told of it: everybody syncs again. False: the storage could not be read.
   */
  async reload(cause: unknown): Promise<boolean> {
    const { counted, confirmedSince, head } = this.state;
    const state = await loadState(this.storage, this.activeSince).catch(() => null);
    if (state === null) return false;
    const isSame = state.head.epoch === head.epoch && state.head.version === head.version;
    if (isSame) for (const id of counted) state.counted.add(id);
    for (const [id, since] of confirmedSince) state.confirmedSince.set(id, since);
    keepRequests(state, this.state);
    this.state = state;
    this.log.warn?.({ err: cause }, 'A library was read again.');
    if (!isSame) this.disconnectAll('The library has changed beneath this connection. Sync again.');
    return true;
  }

  /** Disconnect everybody, so that they connect and sync again. */
  disconnectAll(reason: string): void {
    const sockets = [...this.roll.sockets];
    this.roll.clear();
    this.presence.clear();
    this.board.clear();
    for (const socket of sockets) socket.close(1012, reason);
    for (const pin of [...this.pins]) pin.break();
  }

  /** Bring those in who were here before the process began. Who announced something and is not among them has left since. */
  restore(
    { announced, leases }: { announced: Announced[]; leases: RestingLease[] },
    enter: () => void,
  ): void {
    this.board.restore(announced);
    this.roll.restore(enter, leases);
    for (const { info, gone } of announced) {
      const userId = info.id as UserId;
      const userGone = !this.roll.hasUser(userId);
      if (userGone || (!gone && !this.roll.has({ id: info.replicaId, userId })))
        this.#replicaLeft(userId, info.replicaId, userGone);
    }
  }

  #replicaLeft(userId: UserId, replicaId: ReplicaId, userGone: boolean): void {
    const row = this.state.replicas.get(replicaId);
    if (!row || row.userId === userId) this.state.counted.delete(replicaId);
    this.settler.soon();
    if (userGone) {
      const shown = this.board.forgetUser(userId);
      this.presence.userLeft(userId);
      if (shown !== null) this.sendToAll(encodeMessage({ type: 'presence-offline', userId, replicaId }));
    } else {
      const userInfo = this.board.forget(userId, replicaId);
      if (userInfo) {
        const text = encodeMessage({ type: 'presence-changed', replicaId: userInfo.replicaId, userInfo });
        this.presence.tell(this.roll.sockets, userId, text);
      }
    }
    if (this.roll.isEmpty) this.#releaser.lastLeft();
  }

  sendToAll(text: string): void {
    for (const socket of this.roll.sockets) socket.outbox.send(text);
  }
}
