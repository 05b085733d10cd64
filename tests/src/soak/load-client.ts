import { createClock } from '../wire.js';
import type { Library } from './library.js';
import type { Line, ServerMessage, Socket } from './line.js';

interface Operation {
  oid: string;
  timestamp: string;
  data: object;
}

type Message = { type: string } & Record<string, unknown>;

/**
 * A device that writes, and acknowledges what others write. It keeps nothing but what was not confirmed to it, so that it does
 * not grow itself; and it is the same replica each time that it connects.
 */
export class LoadClient {
  acknowledged = 0;
  delivered = 0;
  readonly #line: Line;
  readonly #library: Library;
  readonly #replicaId: string;
  readonly #now: () => string;
  #socket: Socket | undefined;
  #isSynced = false;
  #since: string | null = null;
  #unconfirmed: Operation[] = [];

  /** @param wallClock In ms; default: the machine's. */
  constructor(line: Line, library: Library, replicaId: string, wallClock?: () => number) {
    this.#line = line;
    this.#library = library;
    this.#replicaId = replicaId;
    this.#now = createClock(1, wallClock);
  }

  /** How many operations wait for the server's word; endless where there is no socket to send more on. */
  get inFlight(): number {
    return this.#isSynced ? this.#unconfirmed.length : Number.POSITIVE_INFINITY;
  }

  /** Opens a socket and syncs; where one is open, that one breaks. */
  connect(): void {
    this.close();
    const socket = this.#line.connect({
      open: () => this.#send({ type: 'presence-update', presence: {} }, this.#sync()),
      message: (message) => this.#receive(message),
      closed: () => {
        if (this.#socket === socket) this.#isSynced = false;
      },
    });
    this.#socket = socket;
  }

  /** Loses its socket without a word. */
  close(): void {
    this.#socket?.terminate();
    this.#socket = undefined;
    this.#isSynced = false;
  }

  write(): void {
    const operations = this.#library.edit().map(({ oid, data }) => ({ oid, data, timestamp: this.#now() }));
    this.#unconfirmed.push(...operations);
    if (this.#isSynced) this.#send({ type: 'op', operations, timestamp: this.#now() });
  }

  beat(): void {
    if (this.#isSynced)
      this.#send({ type: 'heartbeat' }, { type: 'presence-update', presence: { at: this.#now() } });
  }

  /** One poll over HTTP. */
  async poll(): Promise<void> {
    const replicaId = this.#replicaId;
    const messages = [{ type: 'presence-update', presence: {} }, this.#sync()];
    const answers = await this.#line.post(messages.map((message) => ({ replicaId, ...message })));
    for (const message of answers) this.#receive(message);
  }

  #sync(): Message {
    const since = this.#since;
    return {
      type: 'sync',
      timestamp: this.#now(),
      operations: this.#unconfirmed,
      // Who comes first founds the library.
      baselines: since === null ? this.#library.founding(this.#now) : [],
      schemaVersion: 1,
      since,
      resyncAll: false,
    };
  }

  #receive({ type, timestamp = '', ackedTimestamp, operations = [] }: ServerMessage): void {
    if (type === 'sync-resp' && this.#socket) this.#isSynced = true;
    if (type === 'sync-resp' || type === 'server-ack') this.#confirm(ackedTimestamp ?? timestamp);
    this.delivered += operations.length;
    const last = operations.at(-1);
    if (last) this.#send({ type: 'ack', timestamp: last.timestamp });
  }

  #confirm(until: string): void {
    if (this.#since === null || until > this.#since) this.#since = until;
    const before = this.#unconfirmed.length;
    this.#unconfirmed = this.#unconfirmed.filter(({ timestamp }) => timestamp > until);
    this.acknowledged += before - this.#unconfirmed.length;
  }

  #send(...messages: Message[]): void {
    for (const message of messages) this.#socket?.send({ replicaId: this.#replicaId, ...message });
  }
}
