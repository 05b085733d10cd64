import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { waitFor } from './until.js';
import { authUrl } from './world.js';

export type RawPatch =
  | { op: 'initialize'; value: unknown }
  | { op: 'set'; name: string; value: unknown }
  | { op: 'list-push'; value: unknown };

export interface RawOperation {
  oid: string;
  timestamp: string;
  data: RawPatch;
}

export interface RawBaseline {
  oid: string;
  timestamp: string;
  snapshot: unknown;
}

export interface SyncResponse {
  type: 'sync-resp';
  operations: RawOperation[];
  baselines: RawBaseline[];
  overwriteLocalData: boolean;
  globalAckTimestamp?: string;
  ackedTimestamp: string;
}

type ServerMessage =
  | SyncResponse
  | { type: 'op-re'; operations: RawOperation[]; baselines?: RawBaseline[]; globalAckTimestamp?: string }
  | { type: 'server-ack'; timestamp: string }
  | { type: 'global-ack'; timestamp: string }
  | { type: 'need-since' }
  | { type: 'forbidden' };

/** A hybrid logical clock as the clients have it: version, milliseconds, counter, node. */
export function createClock(version = 1, wallClock: () => number = Date.now): () => string {
  const node = randomUUID().slice(0, 7).replaceAll('-', '0');
  let latest = 0;
  let counter = 0;
  const digits = (value: number, length: number) => value.toString(36).padStart(length, '0');
  return () => {
    const now = wallClock();
    counter = now > latest ? 0 : counter + 1;
    latest = Math.max(now, latest);
    return digits(version, 4) + digits(latest, 9) + digits(counter, 4) + node;
  };
}

/**
 * A replica that speaks the wire itself, fast, and keeps what a client keeps: its own operations, and the time of the
 * last sync that it knows to have succeeded. On reconnecting it offers again what was not acknowledged, as clients do.
 */
export class RawReplica {
  readonly id = `raw-${randomUUID()}`;
  /** What the server has confirmed, by timestamp: it must outlive anything. */
  readonly acknowledged = new Set<string>();
  /** What the server has shown of others, by timestamp: whoever saw it may have acted on it. */
  readonly shown = new Map<string, RawOperation>();
  /** Up to where it was told that it may fold its history. */
  globalAck = '';
  /** All it ever wrote. */
  readonly written: RawOperation[] = [];
  /** Syncs after the first that would have wiped the replica. */
  resets = 0;

  readonly #now = createClock();
  #since: string | null = null;
  #socket: WebSocket | undefined;
  #answers: (SyncResponse | { type: 'need-since' | 'forbidden' })[] = [];

  constructor(
    readonly library: string,
    readonly userId: string,
    readonly transport: 'socket' | 'http' = 'socket',
    readonly replicaType = 0,
  ) {}

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** How many of its operations the server has yet to confirm. */
  get unconfirmed(): number {
    return this.written.length - this.acknowledged.size;
  }

  operation(oid: string, data: RawPatch): RawOperation {
    const operation = { oid, timestamp: this.#now(), data };
    this.written.push(operation);
    return operation;
  }

  /** Connect, and sync what is not confirmed yet. */
  async connect(base: string): Promise<SyncResponse> {
    const { token, url } = await this.#token(base);
    const socket = new WebSocket(url.replace(/^http/, 'ws'), ['Bearer', token]);
    this.#socket = socket;
    let failure: unknown;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('message', (data) => {
      // What comes after the connection was given up for dead was not seen by anyone.
      if (this.#socket === socket) this.#receive(JSON.parse(String(data)) as ServerMessage);
    });
    await waitFor(() => {
      if (failure) throw failure;
      return socket.readyState === WebSocket.OPEN;
    });
    const answered = this.#answers.length;
    this.#send({ type: 'presence-update', presence: {} });
    this.#send(this.#syncMessage());
    await waitFor(() => this.#answers.length > answered, {
      describe: () => `${this.id} got no answer to its sync`,
    });
    return this.#check(this.#answers.at(-1)!);
  }

  /** Write over the socket; the server's word comes later. */
  push(operations: RawOperation[]): void {
    this.#send({ type: 'op', operations, timestamp: this.#now() });
  }

  /** One poll over HTTP, with everything that is not confirmed. */
  async poll(base: string): Promise<SyncResponse> {
    await this.#post(base, [{ type: 'presence-update', presence: {} }, this.#syncMessage()]);
    return this.#check(this.#answers.at(-1)!);
  }

  /** Write over HTTP, in a request of its own. */
  async post(base: string, operations: RawOperation[]): Promise<void> {
    await this.#post(base, [{ type: 'op', operations, timestamp: this.#now() }]);
  }

  async #post(base: string, messages: Record<string, unknown>[]): Promise<void> {
    const { token, url } = await this.#token(base);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ messages: messages.map((message) => ({ replicaId: this.id, ...message })) }),
    });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    const body = (await response.json()) as { messages: ServerMessage[] };
    for (const message of body.messages) this.#receive(message);
  }

  disconnect(): void {
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  #receive(message: ServerMessage): void {
    if ('globalAckTimestamp' in message && message.globalAckTimestamp)
      this.globalAck = message.globalAckTimestamp;
    switch (message.type) {
      case 'global-ack':
        this.globalAck = message.timestamp;
        break;
      case 'sync-resp':
        if (message.overwriteLocalData && this.#since !== null) this.resets++;
        this.#show(message.operations);
        this.#confirm(message.ackedTimestamp);
        this.#answers.push(message);
        break;
      case 'op-re':
        this.#show(message.operations);
        break;
      case 'server-ack':
        this.#confirm(message.timestamp);
        break;
      case 'need-since':
      case 'forbidden':
        this.#answers.push({ type: message.type });
        break;
    }
  }

  #show(operations: RawOperation[]): void {
    for (const operation of operations) this.shown.set(operation.timestamp, operation);
    const last = operations.at(-1);
    if (last && this.connected) this.#send({ type: 'ack', timestamp: last.timestamp });
  }

  #confirm(timestamp: string): void {
    if (this.#since === null || timestamp > this.#since) this.#since = timestamp;
    for (const operation of this.written) {
      if (operation.timestamp <= timestamp) this.acknowledged.add(operation.timestamp);
    }
  }

  #syncMessage() {
    const since = this.#since;
    const operations = this.written.filter(({ timestamp }) => since === null || timestamp > since);
    return {
      type: 'sync',
      timestamp: this.#now(),
      operations,
      baselines: [],
      schemaVersion: 1,
      since,
      resyncAll: since === null,
    };
  }

  #send(message: Record<string, unknown>): void {
    if (this.connected) this.#socket!.send(JSON.stringify({ replicaId: this.id, ...message }));
  }

  #check(answer: SyncResponse | { type: 'need-since' | 'forbidden' }): SyncResponse {
    if (answer.type !== 'sync-resp') throw new Error(`${this.id} was answered ${answer.type}`);
    return answer as SyncResponse;
  }

  async #token(base: string): Promise<{ token: string; url: string }> {
    const response = await fetch(authUrl(base, this.library, this.userId, this.replicaType));
    const { accessToken: token } = (await response.json()) as { accessToken: string };
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { url: string };
    return { token, url: claims.url };
  }
}

/** The objects that a reply amounts to, by oid; knows the few patches that are written here. */
export function replay({ baselines, operations }: SyncResponse): Map<string, unknown> {
  const objects = new Map<string, unknown>(
    baselines.map(({ oid, snapshot }) => [oid, structuredClone(snapshot)]),
  );
  const inOrder = [...operations].sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
  for (const { oid, data } of inOrder) {
    const object = objects.get(oid);
    if (data.op === 'initialize') objects.set(oid, structuredClone(data.value));
    else if (data.op === 'list-push' && Array.isArray(object)) object.push(data.value);
    else if (data.op === 'set' && object) (object as Record<string, unknown>)[data.name] = data.value;
  }
  return objects;
}
