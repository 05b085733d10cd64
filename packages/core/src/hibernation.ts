import type { LibraryId, ReplicaId } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import { asVerdantError } from './library/as-verdant-error.js';
import type { RestingDelivery } from './library/delivery.js';
import type { LiveLibrary } from './library/live-library.js';
import type { LibraryRegistry } from './library/registry.js';
import type { RestingLease } from './library/roll.js';
import type { Announced } from './presence/presence.js';
import type { ProfileCache } from './presence/profile-cache.js';
import { closeCode, type Session } from './session.js';
import type { OperationRow } from './storage/rows.js';
import type { LibraryStorage } from './storage/storage.js';
import type { SocketSession, SocketTransport } from './transport.js';

/** One socket of a process that ends while its sockets stay. JSON, some 500 bytes. Opaque but to the version that wrote it. */
export interface RestingSocket {
  token: VerifiedToken;
  epoch: number;
  replicaId: ReplicaId | null;
  synced: boolean;
  /** Whether its replica, of a type that counts only while connected, has been connected since its last sync. */
  counted: boolean;
  delivery: RestingDelivery;
}

/** Who is present in a library, and what they announced. JSON. Opaque but to the version that wrote it. */
export interface RestingPresence {
  announced: Announced[];
  leases: RestingLease[];
}

/** What {@link Hibernation.save} gives. */
export interface RestingLibrary {
  presence: RestingPresence;
  /** When (wall-clock ms) the library has to be opened for history to be folded, though nobody comes; null: never. */
  foldableAt: number | null;
  /** Null: this one cannot be taken up again, and has to be closed in its stead. */
  sockets: Map<SocketSession, RestingSocket | null>;
}

/**
 * For runtimes that end an idle process and keep its sockets, as Cloudflare does with Durable Objects. What is not durable
 * anyway is saved when nothing goes on, and restored by the next process before it hears of anything else.
 */
export interface Hibernation {
  /** Write what is in memory only, and tell what else has to be kept of the library. */
  save(libraryId: string): Promise<RestingLibrary>;
  /**
   * Take up what an earlier process has saved. Resolves to a session for each socket, in the same order; null: the
   * transport was closed, since the socket does not fit the library as it is, or its token was revoked; its client
   * connects again. Rejects where the library cannot be opened.
   */
  restore(
    libraryId: string,
    presence: RestingPresence,
    sockets: readonly { transport: SocketTransport; resting: RestingSocket }[],
  ): Promise<(SocketSession | null)[]>;
}

/** What {@link hibernationOf} works with. */
export interface HibernationParts {
  registry: LibraryRegistry;
  profiles: ProfileCache;
  sessions: Iterable<Session>;
  /** Resolves when what was revoked is known. */
  ready: () => Promise<void>;
  /** A session that waits to be resumed. Throws `VerdantError` where the token is not good any more. */
  takeIn: (token: VerifiedToken, transport: SocketTransport) => Session;
}

export function hibernationOf(parts: HibernationParts): Hibernation {
  const { registry, profiles, sessions } = parts;
  return {
    async save(libraryId) {
      const library = await registry.inMemory(libraryId as LibraryId);
      const sockets = new Map<SocketSession, RestingSocket | null>();
      if (library === null) return { presence: { announced: [], leases: [] }, foldableAt: null, sockets };
      await library.flush();
      // From here on without a pause: it has to be of one moment.
      for (const session of sessions) {
        if (session.token.libraryId === libraryId) sockets.set(session, session.rest());
      }
      const presence = { announced: library.board.announced(), leases: library.roll.leases() };
      return { presence, foldableAt: library.foldableAt, sockets };
    },

    async restore(libraryId, { announced, leases }, sockets) {
      await parts.ready();
      const library = await registry.hold(libraryId as LibraryId);
      try {
        for (const { info } of announced) profiles.recall(info.id, info.profile);
        const owed = await Promise.all(sockets.map(({ resting }) => readOwed(library.storage, resting)));
        // From here on without a pause: whoever is told of something is told with all others.
        const resumed: (Session | null)[] = [];
        const enter = () => {
          for (const [index, { transport, resting }] of sockets.entries())
            resumed.push(resume(library, transport, resting, owed[index]!));
        };
        library.restore({ announced, leases }, enter);
        return resumed;
      } finally {
        library.release();
      }
    },
  };

  function resume(
    library: LiveLibrary,
    transport: SocketTransport,
    resting: RestingSocket,
    owed: readonly OperationRow[],
  ): Session | null {
    const { epoch, order } = library.state.head;
    if (resting.epoch !== epoch || (resting.synced && resting.delivery.through !== order)) {
      transport.close(1012, 'The library has changed beneath this connection. Sync again.');
      return null;
    }
    try {
      const session = parts.takeIn(resting.token, transport);
      library.hold();
      session.resume(library, resting, owed);
      return session;
    } catch (error) {
      const refusal = asVerdantError(error);
      transport.close(closeCode(refusal), refusal.message);
      return null;
    }
  }
}

/** Of the operations that have to be sent back to their author, those that are still in the log. */
async function readOwed(storage: LibraryStorage, { delivery }: RestingSocket): Promise<OperationRow[]> {
  const orders = new Set(delivery.owed);
  if (orders.size === 0) return [];
  const rows: OperationRow[] = [];
  for await (const page of storage.readOperations(Math.min(...orders) - 1, Math.max(...orders)))
    rows.push(...page.filter(({ order }) => orders.has(order)));
  return rows;
}
