import type { Verdant } from '@verdant-web/core';
import {
  formatTimestamp,
  type LibraryId,
  type Oid,
  type Operation,
  type ReplicaId,
  type ServerMessage,
  type Timestamp,
  type UserId,
} from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import { contentOf, type Told } from './told.js';

/** Who speaks, to a server in the same process. */
export const tokenOf = (library: string, user: string): VerifiedToken => ({
  userId: user as UserId,
  libraryId: library as LibraryId,
  syncEndpoint: 'http://localhost/verdant',
  fileEndpoint: 'http://localhost/verdant/files',
  type: 0,
  role: undefined,
  expiresAt: Date.now() + 86_400_000,
  issuedAt: Date.now(),
});

/** A device in the process of the server, which notes what it wrote and what it was told, the moment that it is. */
export class RecordedReplica {
  readonly library: string;
  readonly id: string;
  readonly #core: Verdant;
  readonly #note: (told: Told) => void;
  readonly #written: Operation[] = [];
  #session: ReturnType<Verdant['connect']> | null = null;
  #since: string | null = null;
  #counter = 0;
  #messages = 0;
  #answered = false;
  /** How the server closed the last socket. */
  lastClose: string | null = null;

  constructor(core: Verdant, library: string, id: string, note: (told: Told) => void) {
    this.#core = core;
    this.library = library;
    this.id = id;
    this.#note = note;
  }

  get isOpen(): boolean {
    return this.#session !== null;
  }

  /** Whether its sync was answered. */
  get isSynced(): boolean {
    return this.isOpen && this.#answered;
  }

  /** How many of its operations it has not been told of. */
  get unconfirmed(): number {
    const since = this.#since;
    return this.#written.filter(({ timestamp }) => since === null || timestamp > since).length;
  }

  /** Connects, and syncs with what is not confirmed, `more` new documents among it. */
  connect(more: readonly string[] = []): void {
    this.#answered = false;
    const isMine = () => this.#session === session;
    const session = this.#core.connect(tokenOf(this.library, this.id), {
      send: (text) => void (isMine() && this.#hear(JSON.parse(text))),
      stream: async (pieces) => {
        let text = '';
        for await (const piece of pieces) text += piece;
        if (isMine()) this.#hear(JSON.parse(text));
      },
      close: (code, reason) => {
        this.lastClose = `${code} ${reason}`;
        this.#closed(session, false);
      },
      pause: () => {},
      resume: () => {},
      bufferedBytes: 0,
    });
    this.#session = session;
    this.#write(more);
    const since = this.#since;
    const operations = this.#written.filter(({ timestamp }) => since === null || timestamp > since);
    const sync = { type: 'sync', timestamp: this.#now(), operations, baselines: [], schemaVersion: 1 };
    this.#send({ ...sync, since, resyncAll: since === null });
  }

  /** Writes new documents, in one message. */
  push(oids: readonly string[]): void {
    const operations = this.#write(oids);
    this.#send({ type: 'op', operations, timestamp: this.#now() });
  }

  /** The socket breaks. */
  cut(): void {
    if (this.#session) this.#closed(this.#session, false);
  }

  #closed(session: ReturnType<Verdant['connect']>, tookLeave: boolean): void {
    if (this.#session === session) this.#session = null;
    session.closed(tookLeave);
  }

  #write(oids: readonly string[]): Operation[] {
    const message = ++this.#messages;
    return oids.map((oid) => {
      const timestamp = this.#now();
      const value = { id: oid.split('/')[1]!, content: contentOf(oid) };
      const operation: Operation = { oid: oid as Oid, timestamp, data: { op: 'initialize', value } };
      this.#written.push(operation);
      this.#note({ did: 'wrote', library: this.library, writer: this.id, message, timestamp, oid });
      return operation;
    });
  }

  #hear(message: ServerMessage): void {
    const { library, id: writer } = this;
    if (message.type === 'sync-resp' || message.type === 'op-re') {
      const timestamps = message.operations.map(({ timestamp }) => timestamp);
      if (timestamps.length > 0) this.#note({ did: 'shown', library, timestamps });
      const last = timestamps.at(-1);
      if (last) queueMicrotask(() => this.#send({ type: 'ack', timestamp: last }));
    }
    const through =
      message.type === 'sync-resp'
        ? message.ackedTimestamp
        : message.type === 'server-ack'
          ? message.timestamp
          : null;
    if (through === null) return;
    this.#answered ||= message.type === 'sync-resp';
    if (this.#since === null || through > this.#since) this.#since = through;
    this.#note({ did: 'acknowledged', library, writer, through });
  }

  #send(message: { type: string; [field: string]: unknown }): void {
    this.#session?.receive(JSON.stringify({ replicaId: this.id as ReplicaId, ...message }));
  }

  #now(): Timestamp {
    const node = this.id
      .replace(/[^a-z0-9]/g, '')
      .slice(-7)
      .padStart(7, 'x');
    return formatTimestamp({ version: 1, ms: Date.now(), counter: this.#counter++, node });
  }
}
