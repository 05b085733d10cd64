import { WebSocket } from 'ws';
import { type MessageOf, type MessageType, type Operation, type ServerMessage, stamp } from './messages.js';
import { fresh, tokenFor } from './tokens.js';

export interface PeerOptions {
  /** Replica id. */
  id?: string;
  /** Of the token; a string on purpose where a test asks for it. */
  type?: number | string;
  token?: string;
}

export interface SyncOptions {
  operations?: unknown[];
  baselines?: unknown[];
  since?: string | null;
  resyncAll?: boolean;
  timestamp?: string;
}

export interface Posted {
  status: number;
  headers: Headers;
  /** Parsed where it is JSON, otherwise the text. */
  body: unknown;
  /** Of a successful answer. */
  messages: ServerMessage[];
}

type SyncAnswer = MessageOf<'sync-resp'> | MessageOf<'need-since'> | MessageOf<'forbidden'>;

const DEADLINE_MS = 8_000;

/** One replica on the bare wire. Keeps no promises that a client keeps unless the test says so. */
export class Peer {
  readonly id: string;
  readonly type: number | string;
  /** Everything received, in order, over all its sockets. */
  readonly received: ServerMessage[] = [];
  /** How the last socket ended; undefined while it is open. */
  closed: { code: number; reason: string } | undefined;
  socket: WebSocket | undefined;
  /** Called with each message, before anyone waits for it. */
  onMessage: (message: ServerMessage) => void = () => {};
  #unread: ServerMessage[] = [];
  #waiting = new Set<() => void>();
  readonly #token: string | undefined;

  constructor(
    readonly server: { base: string },
    readonly library: string,
    readonly user: string,
    { id = fresh(`replica-${user.slice(0, 20)}`), type = 0, token }: PeerOptions = {},
  ) {
    this.id = id;
    this.type = type;
    this.#token = token;
  }

  get token(): string {
    return this.#token ?? tokenFor(this.server.base, this.library, this.user, { type: this.type });
  }

  /** Opens a socket, and says nothing on it. */
  async connect(): Promise<this> {
    const url = `${this.server.base.replace(/^http/, 'ws')}/verdant`;
    const socket = new WebSocket(url, ['Bearer', this.token]);
    this.socket = socket;
    this.closed = undefined;
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as ServerMessage;
      this.received.push(message);
      this.#unread.push(message);
      this.onMessage(message);
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      if (this.socket === socket) this.closed = { code, reason: String(reason) };
      this.#wake();
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.on('error', reject);
    });
    return this;
  }

  send(type: string, fields: object = {}): void {
    this.raw(JSON.stringify({ type, replicaId: this.id, ...fields }));
  }

  raw(data: string | Buffer): void {
    this.socket!.send(data);
  }

  /** The next unread message of this type (that `matches`); those before it stay unread. */
  take<Type extends MessageType>(
    type: Type,
    matches: (message: MessageOf<Type>) => boolean = () => true,
    deadline = DEADLINE_MS,
  ): Promise<MessageOf<Type>> {
    const fits = (message: ServerMessage): message is MessageOf<Type> =>
      message.type === type && matches(message as MessageOf<Type>);
    return this.#first(fits, type, deadline);
  }

  /** Resolves when the socket has ended. */
  async ended(deadline = DEADLINE_MS): Promise<{ code: number; reason: string }> {
    await this.#until(() => this.closed !== undefined, 'end of the socket', deadline);
    return this.closed!;
  }

  /** Unread messages of a type. */
  unread<Type extends MessageType>(type: Type): MessageOf<Type>[] {
    return this.#unread.filter((message): message is MessageOf<Type> => message.type === type);
  }

  forgetUnread(): void {
    this.#unread = [];
  }

  /** Everything that was sent to this socket before is here when this resolves: answers keep their order. */
  async fence(): Promise<void> {
    this.send('heartbeat');
    await this.take('heartbeat-response');
  }

  sendSync({
    operations = [],
    baselines = [],
    since = null,
    resyncAll = since === null,
    timestamp = stamp(),
  }: SyncOptions = {}): string {
    this.send('sync', { timestamp, operations, baselines, schemaVersion: 1, since, resyncAll });
    return timestamp;
  }

  /** Sends a sync and waits for whatever answers it. */
  async trySync(options: SyncOptions = {}): Promise<SyncAnswer> {
    this.sendSync(options);
    const isAnswer = (message: ServerMessage): message is SyncAnswer =>
      message.type === 'sync-resp' || message.type === 'need-since' || message.type === 'forbidden';
    return this.#first(isAnswer, 'answer to a sync', DEADLINE_MS);
  }

  async sync(options: SyncOptions = {}): Promise<MessageOf<'sync-resp'>> {
    const answer = await this.trySync(options);
    if (answer.type !== 'sync-resp') throw new Error(`the sync was answered ${answer.type}`);
    return answer;
  }

  ack(timestamp: string): void {
    this.send('ack', { timestamp });
  }

  /** Acks the last listed operation of every message, as clients do. */
  acking(): this {
    this.onMessage = (message) => {
      if (message.type !== 'op-re' && message.type !== 'sync-resp') return;
      const last = message.operations.at(-1);
      if (last) this.ack(last.timestamp);
    };
    return this;
  }

  /** Writes, and waits for the server's word. */
  async write(...operations: Operation[]): Promise<void> {
    const timestamp = stamp();
    this.send('op', { operations, timestamp });
    await this.take('server-ack', (message) => message.timestamp === timestamp);
  }

  async post(messages: object[], headers: Record<string, string> = {}): Promise<Posted> {
    const response = await fetch(`${this.server.base}/verdant`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${this.token}`, ...headers },
      body: JSON.stringify({ messages: messages.map((message) => ({ replicaId: this.id, ...message })) }),
    });
    const body = await readBody(response);
    const { messages: answers = [] } = (typeof body === 'object' && body ? body : {}) as {
      messages?: ServerMessage[];
    };
    return { status: response.status, headers: response.headers, body, messages: answers };
  }

  syncMessage({ operations = [], baselines = [], since = null, timestamp = stamp() }: SyncOptions = {}) {
    const resyncAll = since === null;
    return { type: 'sync', timestamp, operations, baselines, schemaVersion: 1, since, resyncAll };
  }

  /** One poll: presence and sync. */
  async poll(options: SyncOptions = {}): Promise<MessageOf<'sync-resp'>> {
    const { messages, status, body } = await this.post([
      { type: 'presence-update', presence: {} },
      this.syncMessage(options),
    ]);
    const answer = messages.find((message) => message.type === 'sync-resp');
    if (!answer) throw new Error(`the poll was answered ${status} ${JSON.stringify(body)}`);
    return answer;
  }

  close(): void {
    this.socket?.terminate();
  }

  async #first<Found extends ServerMessage>(
    fits: (message: ServerMessage) => message is Found,
    what: string,
    deadline: number,
  ): Promise<Found> {
    let found: Found | undefined;
    const look = () => {
      const index = this.#unread.findIndex(fits);
      if (index < 0) return false;
      found = this.#unread.splice(index, 1)[0] as Found;
      return true;
    };
    await this.#until(look, what, deadline);
    return found!;
  }

  async #until(look: () => boolean, what: string, deadline: number): Promise<void> {
    if (look()) return;
    await new Promise<void>((resolve, reject) => {
      const again = () => {
        if (!look()) return;
        done();
        resolve();
      };
      const timer = setTimeout(() => {
        done();
        const seen = this.#unread.slice(-20).map(({ type }) => type);
        const end = this.closed ? `; closed ${this.closed.code} ${this.closed.reason}` : '';
        reject(new Error(`${this.id}: no ${what} within ${deadline} ms; unread: ${seen.join(', ')}${end}`));
      }, deadline);
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(again);
      };
      this.#waiting.add(again);
    });
  }

  #wake(): void {
    for (const again of [...this.#waiting]) again();
  }
}

export async function readBody(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A connected replica that founded the library with one document that holds a list. */
export async function founder(
  server: { base: string },
  library: string,
  user = 'ann',
  options: PeerOptions = {},
) {
  const peer = await new Peer(server, library, user, options).connect();
  peer.acking();
  await peer.sync({ operations: foundation() });
  return peer;
}

/** The document `items/1` with the list `items/1:tags`. */
export const foundation = (): Operation[] => [
  {
    oid: 'items/1',
    timestamp: stamp(),
    data: {
      op: 'initialize',
      value: { id: '1', title: 'one', tags: { '@@type': 'ref', id: 'items/1:tags' } },
    },
  },
  { oid: 'items/1:tags', timestamp: stamp(), data: { op: 'initialize', value: [] } },
];

/** Another connected and synced replica, which acks. */
export async function joiner(
  server: { base: string },
  library: string,
  user = 'bob',
  options: PeerOptions = {},
) {
  const peer = await new Peer(server, library, user, options).connect();
  peer.acking();
  await peer.sync();
  return peer;
}

export const kinds = (operations: readonly Operation[]): string[] =>
  operations.map(({ oid, data }) => `${oid} ${data.op}`);
