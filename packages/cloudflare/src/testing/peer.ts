import { authzKeyFor, formatTimestamp, type UserId } from '@verdant-web/protocol';
import WebSocket from 'ws';

export type Message = Record<string, unknown> & { type: string };

/** One socket of a device that follows the protocol by hand. */
export class Peer {
  readonly received: Message[] = [];
  readonly replicaId: string;
  readonly #socket: WebSocket;
  #closed: { code: number; reason: string } | null = null;
  readonly #looks = new Set<() => void>();

  private constructor(socket: WebSocket, replicaId: string) {
    this.#socket = socket;
    this.replicaId = replicaId;
    socket.on('message', (data) => {
      this.received.push(JSON.parse(String(data)));
      for (const look of [...this.#looks]) look();
    });
    socket.on('close', (code, reason) => {
      this.#closed = { code, reason: String(reason) };
      for (const look of [...this.#looks]) look();
    });
  }

  static async open(base: string, token: string, replicaId: string): Promise<Peer> {
    const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/verdant`, ['Bearer', token]);
    const peer = new Peer(socket, replicaId);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return peer;
  }

  get closed(): { code: number; reason: string } | null {
    return this.#closed;
  }

  send(message: Record<string, unknown>): void {
    this.#socket.send(JSON.stringify(message));
  }

  sendBinary(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** Resolves with the next message, from `from` on in {@link received}, that fits. Rejects after ten seconds. */
  async next(fits: (message: Message) => unknown, from = 0, deadlineMs = 10_000): Promise<Message> {
    const found = () => this.received.slice(from).find(fits);
    const describe = () => `of ${JSON.stringify(this.received.slice(from))} nothing fits`;
    return this.#until(found, describe, deadlineMs);
  }

  /** Resolves when the socket is closed. */
  async whenClosed(deadlineMs = 10_000): Promise<{ code: number; reason: string }> {
    return this.#until(
      () => this.#closed ?? undefined,
      () => 'the socket is still open',
      deadlineMs,
    );
  }

  /** Announces presence and syncs, as a device does that connects. */
  async start(presence: Record<string, unknown> = {}, since: string | null = null): Promise<Message> {
    const from = this.received.length;
    this.send({ type: 'presence-update', replicaId: this.replicaId, presence, internal: {} });
    this.send({
      type: 'sync',
      replicaId: this.replicaId,
      timestamp: this.now(),
      schemaVersion: 1,
      since,
      resyncAll: false,
      operations: [],
      baselines: [],
    });
    return this.next(({ type }) => type === 'sync-resp' || type === 'need-since', from);
  }

  /** Creates an item with these fields; only for `owner` to see, where given. Returns the operation. */
  create(id: string, fields: Record<string, unknown>, owner?: string): { oid: string; timestamp: string } {
    const operation = {
      oid: `items/${id}`,
      timestamp: this.now(),
      data: { op: 'initialize', value: fields },
      ...(owner !== undefined && { authz: authzKeyFor(owner as UserId) }),
    };
    const { timestamp } = operation;
    this.send({ type: 'op', replicaId: this.replicaId, timestamp, operations: [operation] });
    return operation;
  }

  /** Makes a change of each of these patches to an item. Returns the time of the last. */
  change(id: string, ...patches: Record<string, unknown>[]): string {
    const operations = patches.map((data) => ({ oid: `items/${id}`, timestamp: this.now(), data }));
    const { timestamp } = operations.at(-1)!;
    this.send({ type: 'op', replicaId: this.replicaId, timestamp, operations });
    return timestamp;
  }

  /** From now on, says that it has stored what it is told. */
  acknowledges(): void {
    this.#socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Message;
      const changes = (message.operations as { timestamp: string }[] | undefined) ?? [];
      if (message.type === 'op-re') this.#acknowledge(changes.at(-1)?.timestamp);
      if (message.type === 'sync-resp') this.#acknowledge(message.ackedTimestamp as string);
    });
  }

  /** A later time than before, as devices write it. */
  now(): string {
    return nextTimestamp();
  }

  close(): void {
    this.#socket.close();
  }

  /** Is gone, without a word. */
  breakOff(): void {
    this.#socket.terminate();
  }

  #acknowledge(timestamp: string | undefined): void {
    if (timestamp !== undefined) this.send({ type: 'ack', replicaId: this.replicaId, timestamp });
  }

  #until<Result>(
    find: () => Result | undefined,
    describe: () => string,
    deadlineMs: number,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`${this.replicaId}: ${describe()}`));
      const deadline = setTimeout(fail, deadlineMs);
      const look = () => {
        const result = find();
        if (result === undefined) return;
        clearTimeout(deadline);
        this.#looks.delete(look);
        resolve(result);
      };
      this.#looks.add(look);
      look();
    });
  }
}

let last = 0;

/** One clock for all devices of a test: later calls are later. */
export const nextTimestamp = (): string => {
  last = Math.max(last + 1, Date.now());
  return formatTimestamp({ version: 1, ms: last, counter: 0, node: 'peer000' });
};
