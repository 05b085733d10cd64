import type {
  Baseline,
  ClientMessage,
  Operation,
  ReplicaId,
  ServerMessage,
  SyncMessage,
  SyncResponseMessage,
  Timestamp,
} from '@verdant-web/protocol';
import type { ClientDatabase } from './client-database.js';
import type { HybridClock } from './hybrid-clock.js';
import type { Random } from './random.js';
import type { Scope } from './virtual-time.js';

/** What is known, besides its text, of a message that left the server: for checks, not for the client. */
export interface SentContext {
  epoch: number;
  /** How many operations had been folded when it left. */
  folds: number;
}

/** The page's side of an open socket. */
export interface ClientSocket {
  send(message: ClientMessage): void;
  close(): void;
}

export interface SocketEvents {
  open(): void;
  message(message: ServerMessage, context: SentContext): void;
  closed(): void;
}

export type HttpAnswer =
  | { ok: true; messages: ServerMessage[]; context: SentContext }
  /** `status` null: no answer came. */
  | { ok: false; status: number | null };

/** How a page reaches the server. */
export interface PageNetwork {
  openSocket(events: SocketEvents): ClientSocket;
  request(messages: ClientMessage[]): Promise<HttpAnswer>;
}

export interface PageOptions {
  replicaId: ReplicaId;
  database: ClientDatabase;
  clock: HybridClock;
  network: PageNetwork;
  scope: Scope;
  random: Random;
  mode: TransportMode;
  /**
   * Whether everything that arrives before the first sync is recorded is folded at once, as the published client does:
   * it takes a replica that never synced for one that is alone.
   */
  foldsBeforeFirstSync: boolean;
  note(what: string): void;
  /** The client would shut down. */
  broke(error: unknown): void;
}

export type TransportMode = 'realtime' | 'pull';

const POLL_MS = 15_000;
const POLL_DEADLINE_MS = 3_000;
const FOLD_DELAY_MS = 10_000;

/**
 * One loaded page of the published client: its memory, its transactions, and its two transports with their queues.
 * Written after the behaviour of `@verdant-web/store` 5.5.0, oddities included, since a server has to bear them.
 */
export class ClientPage {
  readonly #options: PageOptions;
  /** Transactions on operations and baselines, one at a time in the order in which they were begun. */
  #transactions: { run: () => void; abortable: boolean }[] = [];
  #transacting = false;
  /** A reset is under way: the database is wiped, or about to be. */
  #resetting = false;
  #cancelFold = () => {};
  /** The page's own copy of the last sync, which a wipe of the database does not touch. */
  #lastSynced: Timestamp | null;
  #mode: TransportMode;
  #active = false;
  // Socket
  #socket: ClientSocket | null = null;
  #socketOpen = false;
  #socketGeneration = 0;
  #synced = false;
  #hasStartedSync = false;
  #connectQueue: ClientMessage[] = [];
  #syncQueue: ClientMessage[] = [];
  #incomingQueue: { message: ServerMessage; context: SentContext }[] = [];
  #reconnectDelay = 0;
  // HTTP
  #polled = false;
  #cancelBeat = () => {};
  #cancelDeadline: (() => void) | null = null;

  constructor(options: PageOptions) {
    this.#options = options;
    this.#lastSynced = options.database.lastSynced;
    this.#mode = options.mode;
  }

  get mode(): TransportMode {
    return this.#mode;
  }

  start(): void {
    this.#active = true;
    if (this.#mode === 'realtime') this.#connect();
    else this.#beat();
  }

  /** Change transports. The old one is told to stop, but what it has under way goes on. */
  setMode(mode: TransportMode): void {
    if (mode === this.#mode) return;
    const before = this.#mode;
    if (this.#active && mode === 'pull') this.#beat();
    if (before === 'realtime') this.#stopSocket();
    else this.#stopPolling();
    this.#mode = mode;
    if (this.#active && mode === 'realtime') this.#connect();
  }

  /** The tab is looked at, or the app asks to reconnect: polling that was given up goes on. */
  refresh(): void {
    if (!this.#active) return;
    if (this.#mode === 'pull') {
      this.#stopPolling();
      this.#beat();
    } else {
      this.#stopSocket();
      this.#connect();
    }
  }

  /** Tell the server, where it still can, and go. */
  leave(): void {
    if (this.#mode === 'realtime') this.#stopSocket();
    this.#active = false;
  }

  /** Write changes: in one transaction they get their times, are stored, and are offered to the server. */
  write(make: (clock: HybridClock) => Operation[]): void {
    this.#transaction(true, () => {
      const { database, clock, replicaId } = this.#options;
      const operations = make(clock);
      if (operations.length === 0) return;
      database.addOperations(operations, true);
      this.#foldAlone();
      this.#options.note(
        `writes ${operations.map((o) => `${o.data.op} ${o.oid} @${o.timestamp}`).join(', ')}`,
      );
      this.#send({ type: 'op', timestamp: clock.now(), replicaId, operations });
    });
  }

  // --- Storage ------------------------------------------------------------------------------------------------------

  #transaction(abortable: boolean, run: () => void): void {
    this.#transactions.push({ run, abortable });
    this.#transact();
  }

  #transact(): void {
    if (this.#transacting || this.#transactions.length === 0) return;
    this.#transacting = true;
    const { random, scope } = this.#options;
    // Usually a few ms; a large one, or a busy device, takes longer.
    const takes = random.chance(0.03) ? random.between(100, 2_000) : random.between(0, 8);
    scope.after(takes, () => {
      const next = this.#transactions.shift();
      next?.run();
      this.#transacting = false;
      this.#transact();
    });
  }

  #insert(
    message: { operations: Operation[]; baselines?: Baseline[] | undefined },
    { epoch, folds }: SentContext,
    { reset, then }: { reset: boolean; then: () => void },
  ): void {
    const { database, clock, scope, random, replicaId } = this.#options;
    const { operations, baselines = [] } = message;
    if (operations.length === 0 && baselines.length === 0 && !reset && !this.#resetting) {
      // Nothing to store: the client goes on at once, whatever else is being stored.
      scope.after(random.between(0, 5), then);
      return;
    }
    this.#transaction(true, () => {
      this.#resetting = false;
      database.setBaselines(baselines);
      database.addOperations(operations, false);
      if (baselines.length > 0 || reset) database.heldFoundings.add(epoch);
      if (reset) database.heldFolds = folds;
      if (operations.length > 0) this.#foldAlone();
      const last = operations.at(-1);
      if (last && last.timestamp <= clock.now()) {
        this.#send({ type: 'ack', replicaId, timestamp: last.timestamp });
      }
      // Documents are computed and indexed before the client goes on.
      scope.after(random.between(0, 5), then);
    });
  }

  #recordSynced(timestamp: Timestamp): void {
    this.#lastSynced = timestamp;
    // Its store is another one: this does not wait for transactions on operations.
    this.#options.scope.after(this.#options.random.between(0, 2), () => {
      this.#options.database.lastSynced = timestamp;
    });
  }

  #setGlobalAck(timestamp: Timestamp): void {
    this.#cancelFold();
    this.#cancelFold = this.#options.scope.after(FOLD_DELAY_MS, () =>
      this.#transaction(false, () => this.#options.database.fold(timestamp)),
    );
  }

  #foldAlone(): void {
    if (!this.#options.foldsBeforeFirstSync || this.#lastSynced !== null) return;
    const through = this.#options.clock.now();
    this.#transaction(false, () => {
      if (this.#lastSynced === null) this.#options.database.fold(through);
    });
  }

  // --- Messages -----------------------------------------------------------------------------------------------------

  #createSync(since: null | undefined, send: (message: SyncMessage) => void): void {
    const provideSince = since === null ? null : this.#lastSynced;
    this.#transaction(false, () => {
      const { database, clock, replicaId } = this.#options;
      const { operations, baselines } = database.changesSince(provideSince);
      send({
        type: 'sync',
        schemaVersion: clock.version,
        timestamp: clock.now(),
        replicaId,
        resyncAll: this.#lastSynced === null,
        operations,
        baselines,
        since: provideSince,
      });
    });
  }

  #handle(message: ServerMessage, context: SentContext): void {
    if (message.type === 'op-re' || message.type === 'sync-resp') {
      try {
        for (const { timestamp } of message.operations) this.#options.clock.update(timestamp);
      } catch (error) {
        this.#options.broke(error);
        return;
      }
    }
    switch (message.type) {
      case 'op-re': {
        const { globalAckTimestamp } = message;
        const then = () => {
          if (globalAckTimestamp) this.#setGlobalAck(globalAckTimestamp);
        };
        this.#insert(message, context, { reset: false, then });
        return;
      }
      case 'global-ack':
        this.#setGlobalAck(message.timestamp);
        return;
      case 'sync-resp':
        this.#applySync(message, context);
        return;
      case 'need-since':
        this.#createSync(null, (sync) => this.#send(sync));
        return;
      case 'server-ack':
        this.#recordSynced(message.timestamp);
        return;
    }
  }

  #applySync(message: SyncResponseMessage, context: SentContext): void {
    const { database } = this.#options;
    const reset = message.overwriteLocalData;
    if (reset) {
      // Whatever else was being stored would be wiped anyway.
      this.#transactions = this.#transactions.filter(({ abortable }) => !abortable);
      this.#resetting = true;
      this.#transaction(false, () => database.wipe());
    }
    const then = () => {
      if (message.globalAckTimestamp) this.#setGlobalAck(message.globalAckTimestamp);
      this.#recordSynced(message.ackedTimestamp);
    };
    this.#insert(message, context, { reset, then });
  }

  #send(message: ClientMessage): void {
    if (!this.#active) return;
    if (this.#mode === 'realtime') this.#sendOnSocket(message);
    else this.#sendOverHttp(message);
  }

  // --- Socket -------------------------------------------------------------------------------------------------------

  #connect(): void {
    if (this.#socket) return;
    const generation = ++this.#socketGeneration;
    const current = () => generation === this.#socketGeneration;
    this.#socketOpen = false;
    this.#socket = this.#options.network.openSocket({
      open: () => {
        if (current()) this.#opened();
      },
      message: (message, context) => {
        if (current()) this.#onFrame(message, context);
      },
      closed: () => {
        if (current()) this.#closed();
      },
    });
  }

  #opened(): void {
    this.#socketOpen = true;
    for (const message of this.#connectQueue.splice(0)) this.#socket?.send(message);
    this.#hasStartedSync = true;
    this.#synced = false;
    const { replicaId } = this.#options;
    this.#sendOnSocket({ type: 'presence-update', replicaId, presence: {}, internal: {} });
    this.#createSync(undefined, (sync) => this.#sendOnSocket(sync));
  }

  #closed(): void {
    this.#socket = null;
    this.#socketOpen = false;
    this.#hasStartedSync = false;
    this.#synced = false;
    this.#reconnectDelay = Math.min(60_000, Math.max(20, this.#reconnectDelay * 1.5));
    this.#options.scope.after(this.#reconnectDelay, () => {
      if (this.#active && this.#mode === 'realtime') this.#connect();
    });
  }

  #stopSocket(): void {
    this.#sendOnSocket({
      type: 'disconnecting',
      replicaId: this.#options.replicaId,
      reason: 'client-shutdown',
    });
    this.#socketGeneration++;
    this.#socket?.close();
    this.#socket = null;
    this.#socketOpen = false;
    this.#hasStartedSync = false;
    this.#synced = false;
  }

  #onFrame(message: ServerMessage, context: SentContext): void {
    this.#reconnectDelay = 0;
    switch (message.type) {
      case 'sync-resp': {
        this.#hasStartedSync = true;
        this.#synced = true;
        const queued = this.#syncQueue;
        this.#syncQueue = [];
        // A reset drops what waited to be sent; otherwise it goes out before the reply is applied.
        if (!message.overwriteLocalData) for (const waiting of queued) this.#sendOnSocket(waiting);
        this.#handle(message, context);
        for (const early of this.#incomingQueue.splice(0)) this.#handle(early.message, early.context);
        return;
      }
      case 'need-since':
      case 'presence-changed':
      case 'presence-offline':
        this.#handle(message, context);
        return;
      case 'op-re':
        if (this.#synced) this.#handle(message, context);
        else this.#incomingQueue.push({ message, context });
        return;
      default:
        if (this.#synced) this.#handle(message, context);
    }
  }

  #sendOnSocket(message: ClientMessage): void {
    const goesFirst = message.type === 'sync' || message.type === 'presence-update';
    if (goesFirst) {
      if (this.#socketOpen) this.#socket?.send(message);
      else this.#connectQueue.push(message);
    } else if (this.#synced) {
      if (this.#socketOpen) this.#socket?.send(message);
    } else if (this.#hasStartedSync) {
      this.#syncQueue.push(message);
    }
  }

  // --- HTTP ---------------------------------------------------------------------------------------------------------

  #beat(): void {
    const { replicaId, scope } = this.#options;
    this.#createSync(undefined, (sync) => {
      void this.#request([{ type: 'presence-update', replicaId, presence: {}, internal: {} }, sync]);
    });
    this.#cancelDeadline?.();
    // Nothing more is asked after an answer that took too long, until somebody looks at the tab.
    const cancel = scope.after(POLL_DEADLINE_MS, () => {
      if (this.#cancelDeadline === cancel) this.#cancelDeadline = null;
    });
    this.#cancelDeadline = cancel;
  }

  #keepPolling(): void {
    if (!this.#cancelDeadline) return;
    this.#stopPolling();
    this.#cancelBeat = this.#options.scope.after(POLL_MS, () => this.#beat());
  }

  #stopPolling(): void {
    this.#cancelBeat();
    this.#cancelDeadline?.();
    this.#cancelDeadline = null;
  }

  #sendOverHttp(message: ClientMessage): void {
    if (message.type === 'sync' || (message.type === 'op' && this.#polled)) void this.#request([message]);
  }

  async #request(messages: ClientMessage[]): Promise<void> {
    const answer = await this.#options.network.request(messages);
    if (!answer.ok) {
      if (answer.status === null || answer.status >= 500) this.#keepPolling();
      return;
    }
    this.#keepPolling();
    for (const message of answer.messages) {
      if (message.type === 'sync-resp') this.#polled = true;
      this.#handle(message, answer.context);
    }
  }
}
