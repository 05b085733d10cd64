import {
  type LibraryId,
  mayUseSocket,
  type ReplicaId,
  type UserId,
  VerdantError,
  VerdantErrorCode,
} from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import { Authentication, REVOKED } from './authentication.js';
import { ConnectionCount } from './connection-count.js';
import { EventHub } from './event-hub.js';
import { deleteExpiredFiles } from './files/clean-up.js';
import { type OpeningStorage, openFile } from './files/open-file.js';
import { deleteOrphans } from './files/orphans.js';
import { sweepDaily } from './files/sweep.js';
import { noFileStorage, storeUpload } from './files/upload.js';
import { hibernationOf } from './hibernation.js';
import { asVerdantError } from './library/as-verdant-error.js';
import { evict } from './library/evict.js';
import { LibraryHandle } from './library/library-handle.js';
import type { LiveLibrary } from './library/live-library.js';
import { LibraryRegistry } from './library/registry.js';
import { Rounds } from './library/rounds.js';
import { createLog, type Log } from './log.js';
import { logRefused } from './log-refusal.js';
import { LongWork } from './long-work.js';
import { ProfileCache } from './presence/profile-cache.js';
import { Refusals } from './refusals.js';
import { answerRequest, requestContent } from './request.js';
import { requestIntake } from './request-intake.js';
import { Revocations, revocationRow } from './revocations.js';
import { systemScheduler } from './scheduler.js';
import type { Services } from './services.js';
import { callerOf, Session } from './session.js';
import { settingsFrom } from './settings.js';
import type { SocketTransport } from './transport.js';
import { UserBudgets } from './user-budgets.js';
import type { Verdant, VerdantOptions } from './verdant.js';

/**
 * Create the sync service. Mount it with `createHttpRouter` of `@verdant-web/http` and a WebSocket handler such as
 * `createNodeWebsocketHandler` of `@verdant-web/node`.
 *
 * @throws `VerdantError` (5010) where an option is wrong or missing, or the token secret is too short.
 *
 * @example
 * ```ts
 * const core = createVerdant({
 *   storage: sqlShardStorage({ databasesDirectory: 'verdant-dbs' }),
 *   tokenSecret: process.env.TOKEN_SECRET,
 *   profiles: { get: async (userId) => ({ id: userId }) },
 * });
 * ```
 */
export function createVerdant(options: VerdantOptions): Verdant {
  const settings = settingsFrom(options);
  const scheduler = options.scheduler ?? systemScheduler;
  const log = createLog(options.log, options.logLevel);
  const revocations = new Revocations(options.storage);
  const authentication = new Authentication({ options, revocations, scheduler, log });
  const events = new EventHub(log);
  const profiles = new ProfileCache({
    source: options.profiles ?? { get: (userId) => ({ id: userId }) },
    lifetimeMs: settings.profileCacheMs,
    scheduler,
    log,
  });
  const services: Services = {
    settings,
    scheduler,
    rounds: new Rounds(scheduler),
    workBehind: new LongWork(scheduler),
    workToFound: new LongWork(scheduler),
    workToTell: new LongWork(scheduler),
    log,
    events,
    profiles,
    fileStorage: options.fileStorage ?? null,
    maxValueBytes: options.storage.limits.maxValueBytes,
  };
  const registry = new LibraryRegistry(options.storage, services);
  const refusals = new Refusals({ scheduler, maxHeld: settings.limits.maxHeldRefusals });
  const budgets = new UserBudgets(settings.limits, scheduler);
  const connections = new ConnectionCount(settings.limits);
  const sessions = new Set<Session>();
  const underWay = new Set<Promise<unknown>>();
  let closing: Promise<void> | null = null;

  const handle = (id: string) => new LibraryHandle(id as LibraryId, registry);

  /** Admit work that {@link close} waits for. */
  function admit<Result>(work: () => Promise<Result>): Promise<Result> {
    if (closing) return Promise.reject(shuttingDown());
    const running = work();
    const settled = running.catch(() => {});
    underWay.add(settled);
    void settled.then(() => underWay.delete(settled));
    return running;
  }

  /** `library`: held; null: the session waits to be resumed. Throws `VerdantError` (5030) over a limit. */
  function takeIn(
    token: VerifiedToken,
    transport: SocketTransport,
    library: (() => Promise<LiveLibrary>) | null,
    callLog: Log = log,
  ): Session {
    const leave = connections.enter(token);
    const session: Session = new Session({
      token,
      transport,
      services,
      log: callLog,
      refusals,
      budget: () => budgets.of(token.userId),
      library: library?.() ?? null,
      toleranceMs: authentication.clockToleranceMs,
      onClosed: () => {
        leave();
        sessions.delete(session);
      },
    });
    sessions.add(session);
    return session;
  }

  const endSweep = sweepDaily({
    services,
    list: (after) => options.storage.list(after),
    deleteExpired: (id) => admit(() => registry.use(id, deleteExpiredFiles)),
  });

  async function close(): Promise<void> {
    endSweep();
    await Promise.all(underWay);
    for (const session of [...sessions]) session.drain();
    await registry.drained();
    for (const session of [...sessions]) session.close(1012, 'The server is shutting down.');
    await registry.close();
    await options.storage.close();
  }

  return {
    get: handle,
    evict: (libraryId) => evict(libraryId as LibraryId, { registry, storage: options.storage, log }),
    async revoke(revocation) {
      const row = revocationRow(revocation, scheduler.now());
      return admit(async () => {
        const written = revocations.add(row);
        for (const session of [...sessions]) {
          if (revocations.isRevoked(session.token)) session.close(VerdantErrorCode.TokenExpired, REVOKED);
        }
        await Promise.all([written, registry.endLeases(row)]);
      });
    },
    async disconnectUser(userId, { libraryId } = {}) {
      for (const session of [...sessions]) {
        const { token } = session;
        if (token.userId !== userId || (libraryId ?? token.libraryId) !== token.libraryId) continue;
        session.close(1012, 'The server asks this client to connect again.');
      }
      await registry.endLeases({
        userId: userId as UserId,
        libraryId: (libraryId ?? null) as LibraryId | null,
      });
    },
    events,
    profiles: { invalidate: (userId) => profiles.invalidate(userId) },
    close: () => {
      closing ??= close();
      return closing;
    },
    authenticate: (token) => authentication.authenticate(token ?? undefined),
    connect(token: VerifiedToken, transport, context) {
      if (closing) throw shuttingDown();
      authentication.assertNotRevoked(token);
      if (!mayUseSocket(token.type)) {
        throw new VerdantError(
          VerdantErrorCode.Forbidden,
          'The type of this token allows sync over HTTP only.',
        );
      }
      return takeIn(token, transport, () => registry.hold(token.libraryId), context?.log);
    },
    hibernation: hibernationOf({
      registry,
      profiles,
      sessions,
      ready: () => revocations.load(),
      takeIn(token, transport) {
        authentication.assertNotRevoked(token);
        return takeIn(token, transport, null);
      },
    }),
    intake(token) {
      budgets.of(token.userId).takeRequest();
      return requestIntake(() => budgets.of(token.userId));
    },
    request: (token, body, context) =>
      admit(async () => {
        const sender: { replicaId: ReplicaId | null } = { replicaId: null };
        const callLog = (context?.log ?? log).with(idsOf(token)).with(sender);
        const connection = { kind: 'request', caller: callerOf(token), log: callLog } as const;
        return logRefused(callLog, async () => {
          authentication.assertNotRevoked(token);
          const content = requestContent(body, connection, settings.limits);
          budgets.of(token.userId).take(content.messages, body.length);
          sender.replicaId = content.replicaId;
          await profiles.prepare(token.userId);
          return registry.use(token.libraryId, (library) => answerRequest(library, connection, content));
        });
      }),
    files: {
      upload: (token, file, body, context) =>
        admit(() =>
          logRefused((context?.log ?? log).with(idsOf(token)), async () => {
            authentication.assertNotRevoked(token);
            return registry.use(token.libraryId, (library) =>
              storeUpload(library, callerOf(token), file, body),
            );
          }),
        ),
      async info(token, id) {
        if (!options.fileStorage) throw noFileStorage();
        const info = await handle(token.libraryId).getFileInfo(id).catch(rethrowTellable);
        if (!info)
          throw new VerdantError(VerdantErrorCode.NotFound, 'There is no file with this id in the library.');
        return { ...info, remote: true };
      },
      deleteExpired: () =>
        admit(async () => {
          let deleted = 0;
          for await (const id of options.storage.list())
            deleted += await registry.use(id, deleteExpiredFiles);
          return deleted;
        }),
      deleteOrphans: (orphanOptions = {}) =>
        admit(() => deleteOrphans(options.storage, registry, services, orphanOptions)),
      open: options.fileStorage?.open
        ? (path) =>
            admit(() =>
              openFile(registry, options.fileStorage as OpeningStorage, path).catch(rethrowTellable),
            )
        : null,
    },
    refusals,
    limits: settings.limits,
    log,
  };
}

const idsOf = ({ libraryId, userId }: VerifiedToken) => ({ libraryId, userId });

const rethrowTellable = (error: unknown): never => {
  throw asVerdantError(error);
};

const shuttingDown = (): VerdantError =>
  new VerdantError(VerdantErrorCode.Busy, 'The server is shutting down. Try again soon.', { retryAfter: 2 });
