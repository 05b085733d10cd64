import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface Message {
  type: string;
  operations?: { oid: string; data: unknown }[];
}

/** A device that speaks the wire itself, without a browser. */
export class Peer {
  readonly #replicaId = `peer-${randomUUID()}`;
  readonly #node = randomUUID().slice(0, 7);
  #counter = 0;
  readonly #received: Message[] = [];
  #socket: WebSocket | undefined;

  constructor(
    readonly base: string,
    readonly library: string,
    readonly user: string,
  ) {}

  /** Sync over HTTP; resolves to the answer's messages. */
  async post(operations: object[] = []): Promise<Message[]> {
    const { token, endpoint } = await this.#token();
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: this.#introduction(operations) }),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return ((await response.json()) as { messages: Message[] }).messages;
  }

  /** Open a socket and sync over it; resolves to the answer. */
  async connect(): Promise<Message> {
    const { token, endpoint } = await this.#token();
    const socket = new WebSocket(endpoint.replace(/^http/, 'ws'), ['Bearer', token]);
    this.#socket = socket;
    socket.on('message', (data) => this.#received.push(JSON.parse(String(data))));
    await once(socket, 'open', { signal: AbortSignal.timeout(10_000) });
    for (const message of this.#introduction([])) this.#send(message);
    return this.next((message) => message.type === 'sync-resp');
  }

  /** Make a document, and tell over the socket. */
  create(oid: string, value: object): void {
    this.#send({ type: 'op', ...this.#frame(), operations: [this.initialize(oid, value)] });
  }

  initialize(oid: string, value: object) {
    return { oid, timestamp: this.#now(), data: { op: 'initialize', value } };
  }

  /** What has come, or comes within ten seconds, and is so. */
  async next(isIt: (message: Message) => boolean): Promise<Message> {
    const signal = AbortSignal.timeout(10_000);
    for (;;) {
      const found = this.#received.find(isIt);
      if (found) return found;
      await once(this.#socket!, 'message', { signal }).catch((cause) => {
        throw new Error(`It did not come; what did: ${JSON.stringify(this.#received)}`, { cause });
      });
    }
  }

  close(): void {
    this.#socket?.terminate();
  }

  #introduction(operations: object[]) {
    return [
      { type: 'presence-update', replicaId: this.#replicaId, presence: {} },
      {
        type: 'sync',
        ...this.#frame(),
        operations,
        baselines: [],
        schemaVersion: 1,
        since: null,
        resyncAll: true,
      },
    ];
  }

  #frame() {
    return { replicaId: this.#replicaId, timestamp: this.#now() };
  }

  #send(message: object): void {
    this.#socket!.send(JSON.stringify(message));
  }

  async #token() {
    const response = await fetch(`${this.base}/auth/${this.library}?user=${this.user}`, {
      signal: AbortSignal.timeout(10_000),
    });
    const { accessToken: token } = (await response.json()) as { accessToken: string };
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
    return { token, endpoint: claims.url as string };
  }

  /** A hybrid logical clock as clients have it: version, milliseconds, counter, node. */
  #now(): string {
    const digits = (value: number, length: number) => value.toString(36).padStart(length, '0');
    return digits(1, 4) + digits(Date.now(), 9) + digits(this.#counter++, 4) + this.#node;
  }
}
