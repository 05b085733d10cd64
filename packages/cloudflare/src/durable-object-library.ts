import {
  createVerdant,
  type FileInfo,
  type LibraryInfo,
  type LibraryPresence,
  type Verdant,
  type VerdantEvents,
  type VerdantOptions,
} from '@verdant-web/core';
import { type AllowedOrigins, createHttpRouter, originCheck } from '@verdant-web/http';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import type { Hono } from 'hono';
import { acceptSocket } from './accept-socket.js';
import { answerHeartbeatsAsleep } from './heartbeats.js';
import { ObjectScheduler } from './object-scheduler.js';
import { ObjectStorage } from './object-storage.js';
import type { ObjectSocket, ObjectState } from './platform.js';
import { RestKeeper } from './rest-keeper.js';
import { isUpgrade } from './upgrade-request.js';

/** Options of {@link DurableObjectLibrary}: those of `createVerdant`, but for what the object sees to itself. */
export interface DurableObjectLibraryOptions
  extends Omit<VerdantOptions, 'storage' | 'scheduler' | 'libraryIdleMs'> {
  /** Which web pages may read answers and open sockets, by their origin. Default: all. */
  allowedOrigins?: AllowedOrigins;
}

/** The runtime closes a socket with a longer message. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** As long as a lease is by default. */
const DEFAULT_LEASE_MS = 5 * 60_000;

/** What could not be deleted is tried again after this long. */
const CLEAN_UP_RETRY_MS = 3_600_000;

/** Where the object keeps which library it is. */
const LIBRARY = 'library';

/**
 * One library, in a Durable Object of yours: each of its handlers passes on to the method of the same name. Its data is in
 * the object's own SQLite database; while nothing happens, the object leaves memory and its sockets stay.
 *
 * The object has to be addressed by the library's id, as `createVerdantWorkerApp` does: `idFromName(libraryId)`. Its class
 * has to be in `new_sqlite_classes`.
 *
 * @example
 * ```ts
 * export class VerdantLibrary extends DurableObject<Env> {
 *   #library = new DurableObjectLibrary(this.ctx, {
 *     tokenSecret: this.env.TOKEN_SECRET,
 *     profiles: { get: async (userId) => ({ id: userId }) },
 *   });
 *   fetch = (request: Request) => this.#library.fetch(request);
 *   webSocketMessage = (socket: WebSocket, message: string | ArrayBuffer) =>
 *     this.#library.webSocketMessage(socket, message);
 *   webSocketClose = (socket: WebSocket, code: number, reason: string) =>
 *     this.#library.webSocketClose(socket, code, reason);
 *   webSocketError = (socket: WebSocket) => this.#library.webSocketError(socket);
 *   alarm = () => this.#library.alarm();
 * }
 * ```
 */
export class DurableObjectLibrary {
  readonly #state: ObjectState;
  readonly #scheduler = new ObjectScheduler();
  readonly #storage: ObjectStorage;
  readonly #core: Verdant;
  readonly #router: Hono;
  readonly #rest: RestKeeper;
  readonly #isAllowedOrigin: ReturnType<typeof originCheck>;
  #libraryId: string | null;
  #nextRetryAt = 0;

  /**
   * @throws {VerdantError} Configuration (5010) where an option is wrong, or the object's database was written by a newer
   *   version.
   */
  constructor(state: ObjectState, { allowedOrigins, ...options }: DurableObjectLibraryOptions) {
    this.#state = state;
    this.#storage = new ObjectStorage(state.storage);
    this.#libraryId = this.#storage.facts.get(LIBRARY);
    this.#isAllowedOrigin = originCheck(allowedOrigins);
    const core = createVerdant({
      ...options,
      limits: { maxMessageBytes: MAX_MESSAGE_BYTES, ...options.limits },
      storage: this.#storage,
      scheduler: this.#scheduler,
      // The object leaves memory as a whole.
      libraryIdleMs: Number.POSITIVE_INFINITY,
    });
    this.#core = {
      ...core,
      authenticate: async (token) => this.#ours(await core.authenticate(token)),
    };
    this.#router = createHttpRouter(this.#core, allowedOrigins === undefined ? {} : { allowedOrigins });
    this.#rest = new RestKeeper({
      state,
      facts: this.#storage.facts,
      scheduler: this.#scheduler,
      core,
      libraryId: () => this.#libraryId,
      leaseMs: options.presenceLeaseMs ?? DEFAULT_LEASE_MS,
      nextExpiry: () => this.#nextExpiry(options),
      nextReclaim: () => this.#nextReclaim(),
    });
    answerHeartbeatsAsleep(state);
    void state.blockConcurrencyWhile(() => this.#restore());
  }

  /** Sync over HTTP, uploads, and upgrades to a socket, at the paths below where the worker is mounted. */
  async fetch(request: Request): Promise<Response> {
    this.#wake();
    try {
      if (!isUpgrade(request)) return await this.#router.fetch(request);
      return await acceptSocket(request, {
        core: this.#core,
        state: this.#state,
        scheduler: this.#scheduler,
        isAllowedOrigin: this.#isAllowedOrigin,
        accepted: (socket, transport, session) => this.#rest.add(socket, transport, session),
      });
    } finally {
      this.#rest.touch();
    }
  }

  /** A message came on a socket. */
  async webSocketMessage(socket: ObjectSocket, message: string | ArrayBuffer): Promise<void> {
    this.#wake();
    const transport = this.#rest.transportOf(socket);
    if (typeof message === 'string') transport?.receive(message);
    else transport?.session?.refuse(binaryFrame());
  }

  /** A socket was closed by its client, or broke off. */
  async webSocketClose(socket: ObjectSocket, code: number, reason = ''): Promise<void> {
    this.#wake();
    const transport = this.#rest.transportOf(socket);
    // 1006: it broke off, without a word.
    transport?.session?.closed(code !== 1006);
    transport?.close(code === 1005 || code === 1006 ? 1000 : code, reason);
    this.#rest.remove(socket);
  }

  /** A socket failed. */
  async webSocketError(socket: ObjectSocket): Promise<void> {
    this.#wake();
    this.#rest.transportOf(socket)?.session?.closed(false);
    this.#rest.remove(socket);
  }

  /** Something is due: a presence or a token is over, history can be folded, files can be deleted. */
  async alarm(): Promise<void> {
    this.#wake();
    this.#rest.alarmWentOff();
    if (this.#libraryId === null) return;
    try {
      await this.#core.files.deleteExpired();
      // A library that is opened folds what it can.
      await this.#core.get(this.#libraryId).getInfo();
    } finally {
      // Not two seconds later, as after anything else: an object that dies until then would not be woken again.
      await this.#rest.save();
    }
  }

  /**
   * Tells the object which library it is, for methods that are called before anybody has synced with it.
   *
   * @throws {VerdantError} Configuration (5010) where it is another one already.
   */
  async initialize(libraryId: string): Promise<void> {
    if (this.#libraryId !== null && this.#libraryId !== libraryId) {
      throw new VerdantError(
        VerdantErrorCode.Configuration,
        `This Durable Object holds the library ${JSON.stringify(this.#libraryId)}, not ${JSON.stringify(libraryId)}. Address each library by idFromName(libraryId).`,
      );
    }
    this.#become(libraryId);
  }

  /** What the server knows of the library; null: it holds nothing. */
  async getInfo(): Promise<LibraryInfo | null> {
    return this.#used(this.#library.getInfo());
  }

  /** A document as it is now, nested objects and files resolved; null where there is none. Sees private documents. */
  async getDocumentSnapshot(collection: string, id: string): Promise<unknown> {
    return cloned(await this.#used(this.#library.getDocumentSnapshot(collection, id)));
  }

  /** A file's record and URL; null: unknown. */
  async getFileInfo(id: string): Promise<FileInfo | null> {
    return this.#used(this.#library.getFileInfo(id));
  }

  /** Who is present, by user id. */
  async getPresence(): Promise<LibraryPresence> {
    return cloned(await this.#used(this.#library.getPresence()));
  }

  /** Forget that user's replicas, so that they are reset when they return, and disconnect them. */
  async evictUser(userId: string): Promise<void> {
    return this.#used(this.#library.evictUser(userId));
  }

  /** Treat the replica as one not seen for too long: it is reset when it returns, where others wrote since. */
  async forceTruant(replicaId: string): Promise<void> {
    return this.#used(this.#library.forceTruant(replicaId));
  }

  /** Delete what the object holds of the library, files included. Clients restore it from their copies when they reconnect. */
  async evict(): Promise<void> {
    return this.#used(this.#core.evict(this.#id));
  }

  /** What happens in the library, for listeners in the object itself. They are gone when it leaves memory: subscribe in its constructor. */
  get events(): VerdantEvents {
    return this.#core.events;
  }

  get #id(): string {
    if (this.#libraryId !== null) return this.#libraryId;
    throw new VerdantError(
      VerdantErrorCode.Configuration,
      'This Durable Object does not know yet which library it is: call initialize(libraryId) before.',
    );
  }

  get #library() {
    return this.#core.get(this.#id);
  }

  /** The object is awake. */
  #wake(): void {
    this.#scheduler.runDue();
    this.#rest.touch();
  }

  async #used<Result>(work: Promise<Result>): Promise<Result> {
    this.#wake();
    return work;
  }

  /** The token, where it is for the library that is here. */
  #ours(token: VerifiedToken): VerifiedToken {
    if (this.#libraryId === null) this.#become(token.libraryId);
    if (this.#libraryId === token.libraryId) return token;
    throw new VerdantError(VerdantErrorCode.Forbidden, 'This access token is for another library.');
  }

  #become(libraryId: string): void {
    if (this.#libraryId === libraryId) return;
    this.#storage.facts.set(LIBRARY, libraryId);
    this.#libraryId = libraryId;
  }

  async #restore(): Promise<void> {
    try {
      await this.#rest.restore();
    } catch (error) {
      this.#core.log.error?.(
        { err: error },
        'What was connected could not be taken up again: everybody reconnects.',
      );
      for (const socket of this.#state.getWebSockets()) socket.close(1012, 'Connect again.');
    }
  }

  /** When (ms) the next file that nothing refers to has to go; null: there is none. They go only while nobody is here. */
  #nextExpiry({ fileStorage, fileDeleteExpirationDays = 14 }: VerdantOptionsOfFiles): number | null {
    const releasedAt = fileStorage ? this.#storage.firstRelease() : null;
    if (releasedAt === null) return null;
    const due = releasedAt + fileDeleteExpirationDays * 86_400_000;
    // It was tried, and could not be deleted: again and again at once, the object would never rest.
    return due > this.#scheduler.now() ? due : this.#retryAt();
  }

  /** When (ms) to delete again what is left of what was evicted: as the library is opened it is tried; null: nothing is. */
  #nextReclaim(): number | null {
    return this.#libraryId !== null && this.#storage.holdsEvicted(this.#libraryId) ? this.#retryAt() : null;
  }

  /** The same until it has come, so that it does not recede with each event. */
  #retryAt(): number {
    const now = this.#scheduler.now();
    if (this.#nextRetryAt <= now) this.#nextRetryAt = now + CLEAN_UP_RETRY_MS;
    return this.#nextRetryAt;
  }
}

/** Objects without a prototype do not pass from one object, or worker, to another. */
const cloned = <Value>(value: Value): Value => structuredClone(value);

type VerdantOptionsOfFiles = Pick<VerdantOptions, 'fileStorage' | 'fileDeleteExpirationDays'>;

const binaryFrame = () =>
  new VerdantError(VerdantErrorCode.InvalidRequest, 'Messages are text frames; this one is binary.');
