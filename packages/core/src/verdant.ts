import type {
  LibraryId,
  ReplicaId,
  ReplicaType,
  ServerOrder,
  Timestamp,
  UserId,
} from '@verdant-web/protocol';
import type { TokenSecrets, TokenVerifierOptions, VerifiedToken } from '@verdant-web/tokens';
import type { VerdantEvents } from './events.js';
import type { FileStorage } from './files/file-storage.js';
import type { OpenedFile } from './files/open-file.js';
import type { OrphanOptions, Orphans } from './files/orphans.js';
import type { Hibernation } from './hibernation.js';
import type { Limits } from './limits.js';
import type { Log } from './log.js';
import type { LogFunction, Logger, LogLevel } from './logger.js';
import type { LibraryPresence } from './presence/presence.js';
import type { UserProfiles } from './presence/profiles.js';
import type { Refusals } from './refusals.js';
import type { RequestIntake } from './request-intake.js';
import type { Revocation } from './revocations.js';
import type { Scheduler } from './scheduler.js';
import type { Storage } from './storage/storage.js';
import type { SocketSession, SocketTransport } from './transport.js';

/** Options of {@link createVerdant}. */
export interface VerdantOptions {
  /** Where libraries are kept. */
  storage: Storage;
  /** Profiles of users, shown to others with their presence. Default: `{ id }`. */
  profiles?: UserProfiles;
  /**
   * What access tokens are signed with, at least 16 bytes; several, with ids if you like, while one replaces another.
   * Undefined is refused at start; it is allowed in the type so that `process.env.TOKEN_SECRET` compiles.
   */
  tokenSecret?: TokenSecrets | undefined;
  /**
   * How access tokens are verified, in place of `tokenSecret`: by public keys of an identity provider (`keys`,
   * `jwksUrl`), by secrets and public keys side by side, or by the app's own function (`verifyToken`).
   * Its `now` and `log` are the server's.
   */
  tokens?: TokenVerifierOptions;
  /** Where uploaded files are kept. Without it files are refused. */
  fileStorage?: FileStorage;
  /**
   * How many bytes the files of one library may have together; a function is asked with each upload. An upload beyond is
   * refused with 4130. What nothing refers to counts until it is deleted. Default: no bound.
   */
  fileQuota?: number | ((libraryId: string) => number | Promise<number>);
  /**
   * Receives what the server has to say: a function `(level, message, fields)`, or a structured logger such as pino.
   * Default: nothing is logged.
   */
  log?: LogFunction | Logger;
  /**
   * The least level that is logged. Default: a logger with `isLevelEnabled`, such as pino, decides itself, whenever it
   * is asked; others get `'info'` and up.
   */
  logLevel?: LogLevel;
  /** A replica not seen for this long no longer counts, and is reset when it returns. Minutes; default 7 days. */
  replicaTruancyMinutes?: number;
  /** A file that nothing refers to is deleted after this many days, once nobody is connected. Default 14. */
  fileDeleteExpirationDays?: number;
  /** Keep every operation for ever. Default false. */
  disableRebasing?: boolean;
  /** How far ahead of the server's clock an operation may be dated, in ms. Default 60,000, which is what clients bear. */
  maxClockDrift?: number;
  /**
   * Close a socket when its token expires. Default true. Apps on the 3.x client, which cannot refresh a token until
   * the page is loaded again, issue long-lived tokens or turn this off.
   */
  closeSocketsOnTokenExpiry?: boolean;
  /** Bounds on what a client may send or hold. See {@link Limits} for the defaults. */
  limits?: Partial<Limits>;
  /** How long a profile is kept before it is looked up again, in ms. Default 60,000. */
  profileCacheMs?: number;
  /** How long presence of an HTTP client outlives its last request, in ms. Default 5 minutes. */
  presenceLeaseMs?: number;
  /** How long a library without connections stays in memory, in ms. Default 60,000; Infinity: until the process ends. */
  libraryIdleMs?: number;
  /** Time. Default: the runtime's. Replaced in simulations. */
  scheduler?: Scheduler;
}

/** The sync service: a service API over libraries, and what transports are built on. */
export interface Verdant {
  /** A library by its id. Nothing is read or created until a method is called. */
  get(libraryId: string): Library;
  /**
   * Delete what the server holds of a library, files included. Connected clients are disconnected, and restore the
   * library from their own copies when they reconnect: the first one back becomes the truth.
   */
  evict(libraryId: string): Promise<void>;
  /**
   * Refuse access tokens of a user, of a library, or of a user in a library that were issued before a time, and close the
   * sockets that were opened with them, now. Clients fetch a fresh token and come back, so stop issuing them first where
   * the user is to stay out. What a client had sent is stored or not acknowledged; it keeps its changes.
   *
   * Resolves when the revocation is durable. Rejects where the storage fails: then it holds until this process ends; call
   * again. Throws a `TypeError` where neither user nor library is named, or a value is of no use.
   */
  revoke(revocation: Revocation): Promise<void>;
  /**
   * Close the user's sockets, in one library or in all, and show the user as gone at once, polling devices too. Clients
   * come back without delay, with the token that they have: {@link revoke} first where that is not to be.
   */
  disconnectUser(userId: string, options?: { libraryId?: string }): Promise<void>;
  readonly events: VerdantEvents;
  readonly profiles: {
    /** Look the user's profile up again when it is next needed. */ invalidate(userId: string): void;
  };
  /** Stop admitting, finish what is under way, write what is in memory, and close sockets and storage. */
  close(): Promise<void>;

  /** Verify an access token. Throws `VerdantError` (4010, 4011, 4012; 5030 where it cannot be verified now). */
  authenticate(token: string | null | undefined): Promise<VerifiedToken>;
  /** Take a socket in. Throws `VerdantError` (4012 where the token was revoked, 4030 where it allows none, 5030 while closing or over a limit). */
  connect(token: VerifiedToken, transport: SocketTransport, context?: CallContext): SocketSession;
  /** For runtimes that end a process and keep its sockets. */
  readonly hibernation: Hibernation;
  /**
   * A sync request or an upload of this caller is coming. For transports, before they read its body. Throws `VerdantError`
   * (5030) where the user sends too much. What it returns is told of the bytes that the request keeps in memory, and that
   * it is done.
   */
  intake(token: VerifiedToken): RequestIntake;
  /**
   * Work off the body of an HTTP sync request, `{ messages: [...] }` as JSON text. Resolves when everything in it is
   * durable, to the answer's body in pieces; rejects with `VerdantError`. A failure while the pieces are read means
   * that the connection has to be aborted.
   */
  request(token: VerifiedToken, body: string, context?: CallContext): Promise<AsyncIterable<string>>;
  readonly files: {
    /**
     * Store an upload. Resolves when bytes and record are durable. `size` is in bytes, and the body has to keep to it.
     * Another upload of the same file that is under way is given up with 5030.
     * Throws `VerdantError` (4000, 4030, 4130, 5011, 5030).
     */
    upload(
      token: VerifiedToken,
      file: { id: string; name: string; type: string; size: number },
      body: ReadableStream<Uint8Array>,
      context?: CallContext,
    ): Promise<void>;
    /** What a client may know of a file. Throws `VerdantError` (4040, 5011). */
    info(token: VerifiedToken, id: string): Promise<FileInfo & { remote: true }>;
    /**
     * Delete, in every library that nobody is connected to, the files that nothing has referred to for
     * `fileDeleteExpirationDays`. Resolves to how many. It happens by itself when the last one leaves a library, when the
     * library leaves memory, and once a day in all libraries; this is for those who cannot wait. Rejects where a library
     * cannot be opened.
     */
    deleteExpired(): Promise<number>;
    /**
     * Delete bytes in the file storage that no record tells of, as a crash may leave them. Resolves to what was found. Do
     * not call it where the file storage is shared with another service, or the databases are not all in place: what it
     * does not know is gone. `dryRun` shows what it would do. Throws `VerdantError` (5010 where the file storage cannot
     * list its files).
     */
    deleteOrphans(options?: OrphanOptions): Promise<Orphans>;
    /**
     * Open the file that a URL stands for, for `serveFiles` to send. `path` is what is behind the address where the files
     * are served: `/library/id/name`, with the query. Throws `VerdantError` (4030 where a signed URL is not, or no longer,
     * good, 4040). Null where there is no file storage, or one that cannot give bytes back.
     */
    readonly open: ((path: string) => Promise<OpenedFile>) | null;
  };
  /** Slows down whoever comes back with what was refused. For transports. */
  readonly refusals: Refusals;
  readonly limits: Limits;
  /** What the service logs through, and transports may. */
  readonly log: Log;
}

/** What a transport knows of the call that it passes on. */
export interface CallContext {
  /** What lines about the call are logged through, with ids of the transport bound to it. Default: `core.log`. */
  log?: Log;
}

/** One library. */
export interface Library {
  readonly id: LibraryId;
  /** What the server knows of the library; null: it holds nothing. */
  getInfo(): Promise<LibraryInfo | null>;
  /**
   * A document as it is now, nested objects and files resolved; null where there is none.
   * Sees private documents: the caller is the server itself.
   *
   * @throws {VerdantError} TooLarge (4130) where its objects are nested as no client nests them: over 500 levels, or each
   *   in many places, which is how a few objects are made to look like millions.
   */
  getDocumentSnapshot(collection: string, id: string): Promise<unknown>;
  /** A file's record and URL; null: unknown. */
  getFileInfo(id: string): Promise<FileInfo | null>;
  /** Who is present, by user id. */
  getPresence(): Promise<LibraryPresence>;
  /** Treat the replica as one not seen for too long: it no longer counts, and is reset when it returns, where others wrote since. */
  forceTruant(replicaId: string): Promise<void>;
  /** Forget that user's replicas, so that they are reset when they return, and disconnect them. */
  evictUser(userId: string): Promise<void>;
}

export interface LibraryInfo {
  id: LibraryId;
  replicas: ReplicaInfo[];
  latestServerOrder: ServerOrder;
  operationsCount: number;
  baselinesCount: number;
  globalAck: Timestamp | null;
}

export interface ReplicaInfo {
  id: ReplicaId;
  userId: UserId;
  type: ReplicaType;
  truant: boolean;
  ackedLogicalTime: Timestamp | null;
  ackedServerOrder: ServerOrder;
}

export interface FileInfo {
  id: string;
  libraryId: LibraryId;
  name: string;
  type: string;
  /** Absolute. */
  url: string;
}
