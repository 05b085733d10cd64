import {
  type AuthzKey,
  type Baseline,
  formatTimestamp,
  type LibraryId,
  type Oid,
  type Operation,
  type Patch,
  type PlainObject,
  type PlainValue,
  type ReplicaId,
  ReplicaType,
  type ServerMessage,
  type SyncResponseMessage,
  type Timestamp,
  type UserId,
} from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import { createVerdant } from '../create-verdant.js';
import type { RestingLibrary, RestingSocket } from '../hibernation.js';
import { memoryStorage } from '../memory.js';
import type { Storage } from '../storage/storage.js';
import type { SocketSession, SocketTransport } from '../transport.js';
import type { Verdant, VerdantOptions } from '../verdant.js';
import { VirtualScheduler } from './virtual-scheduler.js';

/** A service in virtual time, over storage in memory, and devices that speak to it. */
export class World {
  readonly time = new VirtualScheduler();
  readonly storage: Storage;
  readonly logged: unknown[][] = [];
  readonly options: Partial<VerdantOptions>;
  core: Verdant;
  #replicas = 0;

  constructor(options: Partial<VerdantOptions> = {}) {
    this.options = options;
    this.storage = options.storage ?? memoryStorage();
    this.core = this.#create();
  }

  /** The process dies and another takes over the storage: what was in memory only is gone. */
  crash(): void {
    this.core = this.#create();
  }

  /** The process is taken from memory, and another takes up the sockets of these devices; the others' are gone. */
  async hibernate(...devices: Device[]): Promise<RestingLibrary> {
    const saved = await this.rest();
    await this.wake(saved, ...devices);
    return saved;
  }

  /** What a process saves that is about to end. */
  rest(): Promise<RestingLibrary> {
    return this.#during(this.core.hibernation.save('lib'));
  }

  /** Another process takes up what one has saved. */
  async wake({ presence, sockets }: RestingLibrary, ...devices: Device[]): Promise<void> {
    this.crash();
    const taken = devices.flatMap((device) => {
      const resting = device.restingIn(sockets);
      return resting === null ? [] : [{ ...device.takeUp(), resting: kept(resting) }];
    });
    const sessions = await this.#during(this.core.hibernation.restore('lib', kept(presence), taken));
    for (const [index, session] of sessions.entries()) taken[index]!.as(session);
    await this.settle();
  }

  /** A new device of a user. */
  device(user: string, options: Partial<DeviceOptions> = {}): Device {
    const id = options.id ?? `${user}-${++this.#replicas}`;
    return new Device(this, {
      library: 'lib',
      type: ReplicaType.Realtime,
      role: undefined,
      ...options,
      user,
      id,
    });
  }

  /** A device that has founded the library with one item, `items/1`. */
  async founder(user = 'ana', options: Partial<DeviceOptions> = {}): Promise<Device> {
    const device = this.device(user, options).connect();
    await device.sync({ operations: [device.create('items/1', { id: '1', title: 'one' })] });
    return device;
  }

  /** A device that is in sync: it has taken what the library holds and said so. */
  async member(user: string, options: Partial<DeviceOptions> = {}): Promise<Device> {
    const device = this.device(user, options).connect();
    await device.sync();
    await device.ackAll();
    return device;
  }

  /** Let everything happen that is due. */
  settle(ms = 0): Promise<void> {
    return this.time.pass(ms);
  }

  info(library = 'lib') {
    return this.#during(this.core.get(library).getInfo());
  }

  snapshot(collection: string, key: string, library = 'lib'): Promise<unknown> {
    return this.#during(this.core.get(library).getDocumentSnapshot(collection, key));
  }

  async evict(library = 'lib'): Promise<void> {
    await this.#during(this.core.evict(library));
  }

  /** Let the time pass that a call takes. */
  async #during<Result>(call: Promise<Result>): Promise<Result> {
    call.catch(() => {});
    await this.settle();
    return call;
  }

  #create(): Verdant {
    return createVerdant({
      ...(!this.options.tokens && { tokenSecret: 'a secret of the tests, long enough for anyone' }),
      ...this.options,
      storage: this.storage,
      scheduler: this.time,
      log: this.options.log ?? ((...entry) => void this.logged.push(entry)),
    });
  }
}

export interface DeviceOptions {
  id: string;
  user: string;
  library: string;
  type: ReplicaType;
  role: string | undefined;
  /** How far its clock is ahead, in ms. */
  skew: number;
}

/** What a device was sent, as the wire has it. */
export type Received = ServerMessage;

/** A device that speaks the wire, over a socket or HTTP, message by message as a test says. */
export class Device {
  readonly id: ReplicaId;
  readonly user: UserId;
  readonly world: World;
  readonly #options: DeviceOptions & { skew?: number };
  #counter = 0;
  #session: SocketSession | null = null;
  /** Everything received on the present socket, in order. */
  inbox: Received[] = [];
  /** How the server closed the last socket. */
  closed: { code: number; reason: string } | null = null;
  paused = false;
  /** What the network has not taken. */
  buffered = 0;
  /** When set, streams wait for it. */
  gate: Promise<void> | null = null;

  constructor(world: World, options: Omit<DeviceOptions, 'skew'> & { skew?: number }) {
    this.world = world;
    this.id = options.id as ReplicaId;
    this.user = options.user as UserId;
    this.#options = { skew: 0, ...options };
  }

  token(changes: Partial<VerifiedToken> = {}): VerifiedToken {
    const { library, type, role } = this.#options;
    return {
      userId: this.user,
      libraryId: library as LibraryId,
      syncEndpoint: 'http://localhost/verdant',
      fileEndpoint: 'http://localhost/verdant/files',
      type,
      role,
      expiresAt: this.world.time.now() + 30 * 86_400_000,
      issuedAt: this.world.time.now(),
      ...changes,
    };
  }

  connect(token = this.token()): this {
    this.inbox = [];
    this.closed = null;
    const socket: { current: SocketSession | null } = { current: null };
    socket.current = this.world.core.connect(token, this.#transportOf(socket));
    this.#session = socket.current;
    return this;
  }

  /** What is kept of its socket; null: it cannot be taken up again. */
  restingIn(sockets: RestingLibrary['sockets']): RestingSocket | null {
    return (this.#session && sockets.get(this.#session)) ?? null;
  }

  /** Its socket stays while the process ends, and is taken up by another. */
  takeUp(): { transport: SocketTransport; as: (session: SocketSession | null) => void } {
    // What the process that has ended still says reaches nobody.
    this.#session = null;
    const socket: { current: SocketSession | null } = { current: null };
    const as = (session: SocketSession | null) => {
      socket.current = session;
      this.#session = session;
    };
    return { transport: this.#transportOf(socket), as };
  }

  #transportOf(socket: { readonly current: SocketSession | null }): SocketTransport {
    const isMine = () => this.#session === socket.current;
    const device = this;
    return {
      send: (text) => void (isMine() && this.inbox.push(JSON.parse(text))),
      stream: async (pieces) => {
        let text = '';
        for await (const piece of pieces) {
          if (this.gate) await this.gate;
          text += piece;
        }
        if (isMine()) this.inbox.push(JSON.parse(text));
      },
      close: (code, reason) => {
        if (!isMine()) return;
        this.closed = { code, reason };
        const session = this.#session;
        this.#session = null;
        session?.closed(false);
      },
      pause: () => {
        this.paused = true;
      },
      resume: () => {
        this.paused = false;
      },
      get bufferedBytes() {
        return device.buffered;
      },
    };
  }

  /** The client closes its socket. */
  disconnect(): this {
    return this.#end(true);
  }

  /** The socket is cut, without a word. */
  cut(): this {
    return this.#end(false);
  }

  #end(tookLeave: boolean): this {
    const session = this.#session;
    this.#session = null;
    session?.closed(tookLeave);
    return this;
  }

  get isOpen(): boolean {
    return this.#session !== null;
  }

  /** A time of this device's clock, later than any before; `ms` from now. */
  stamp(ms = 0): Timestamp {
    const now = this.world.time.now() + (this.#options.skew ?? 0) + ms;
    const node = this.id
      .replace(/[^a-z0-9]/g, '')
      .slice(-7)
      .padStart(7, 'x');
    return formatTimestamp({ version: 1, ms: now, counter: this.#counter++, node });
  }

  operation(oid: string, data: Patch, more: { authz?: string; timestamp?: Timestamp } = {}): Operation {
    const { authz, timestamp = this.stamp() } = more;
    return { oid: oid as Oid, timestamp, data, ...(authz === undefined ? {} : { authz: authz as AuthzKey }) };
  }

  create(oid: string, value: PlainObject, more?: { authz?: string; timestamp?: Timestamp }): Operation {
    return this.operation(oid, { op: 'initialize', value }, more);
  }

  set(
    oid: string,
    name: string,
    value: PlainValue,
    more?: { authz?: string; timestamp?: Timestamp },
  ): Operation {
    return this.operation(oid, { op: 'set', name, value }, more);
  }

  baseline(
    oid: string,
    snapshot: PlainObject,
    more: { authz?: string; timestamp?: Timestamp } = {},
  ): Baseline {
    const { authz, timestamp = this.stamp() } = more;
    return {
      oid: oid as Oid,
      snapshot,
      timestamp,
      ...(authz === undefined ? {} : { authz: authz as AuthzKey }),
    };
  }

  /** Send a frame as it is. */
  raw(text: string): void {
    this.#session?.receive(text);
  }

  /** So many bytes have arrived of a message that is not whole. */
  unfinished(bytes: number): void {
    this.#session?.unfinished(bytes);
  }

  send(message: { type: string; [field: string]: unknown }): void {
    this.raw(JSON.stringify({ replicaId: this.id, ...message }));
  }

  syncMessage(content: SyncContent = {}) {
    const { operations = [], baselines = [], since = null, resyncAll = since === null, timestamp } = content;
    return {
      type: 'sync',
      timestamp: timestamp ?? this.stamp(),
      operations,
      baselines,
      schemaVersion: 1,
      since,
      resyncAll,
    };
  }

  /** Sync over the socket. Resolves to the answer; the timestamp that it was sent with is in `ackedTimestamp`. */
  async sync(content: SyncContent = {}): Promise<SyncResponseMessage> {
    this.send(this.syncMessage(content));
    await this.world.settle();
    return this.take('sync-resp') as SyncResponseMessage;
  }

  /** Send operations over the socket, in one message. */
  async push(...operations: Operation[]): Promise<void> {
    this.send({ type: 'op', timestamp: this.stamp(), operations });
    await this.world.settle();
  }

  /** One HTTP request. Resolves to the messages of the answer. */
  async post(...messages: { type: string; [field: string]: unknown }[]): Promise<Received[]> {
    const body = JSON.stringify({
      messages: messages.map((message) => ({ replicaId: this.id, ...message })),
    });
    const token = this.token();
    const taken = new Promise((resolve) => resolve(this.world.core.intake(token)));
    const pieces = taken.then(() => this.world.core.request(token, body));
    const answer = pieces.then(async (pieces) => {
      let text = '';
      for await (const piece of pieces) text += piece;
      return (JSON.parse(text) as { messages: Received[] }).messages;
    });
    // Looked at by the caller, after the time that it takes has passed.
    answer.catch(() => {});
    await this.world.settle();
    return answer;
  }

  /** Acknowledge the last operation of everything received so far. */
  async ackAll(): Promise<void> {
    for (const message of [...this.#listed, ...this.inbox]) {
      const last = 'operations' in message ? message.operations.at(-1) : undefined;
      if (last) this.send({ type: 'ack', timestamp: last.timestamp });
    }
    this.#listed = [];
    await this.world.settle();
  }

  #listed: Received[] = [];

  /** The first message of this type in the inbox, taken out; undefined: none came. */
  take(type: Received['type']): Received | undefined {
    const index = this.inbox.findIndex((message) => message.type === type);
    if (index < 0) return undefined;
    const [taken] = this.inbox.splice(index, 1);
    if (taken) this.#listed.push(taken);
    return taken;
  }

  /** What of this type came, in order. */
  all<Type extends Received['type']>(type: Type): Extract<Received, { type: Type }>[] {
    return this.inbox.filter((message) => message.type === type) as Extract<Received, { type: Type }>[];
  }

  /** `oid op` of every operation that was broadcast to it. */
  get broadcast(): string[] {
    return this.all('op-re').flatMap(({ operations }) =>
      operations.map(({ oid, data }) => `${oid} ${data.op}`),
    );
  }
}

export interface SyncContent {
  operations?: Operation[];
  baselines?: Baseline[];
  since?: Timestamp | null;
  resyncAll?: boolean;
  timestamp?: Timestamp;
}

/** `oid op` of every operation of a message. */
export const listed = (message: { operations: Operation[] }): string[] =>
  message.operations.map(({ oid, data }) => `${oid} ${data.op}`);

/** As it is after it was written down. */
const kept = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
