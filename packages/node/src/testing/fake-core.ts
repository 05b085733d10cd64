import { createLog, type SocketTransport, type Verdant } from '@verdant-web/core';
import { ReplicaType, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';

/** What became of one socket that the core took in. */
export interface FakeSession {
  transport: SocketTransport;
  received: string[];
  refused: VerdantError[];
  /** The most that was told to be there of a message that was not whole, and what was told last. */
  unfinished: { most: number; last: number };
  closed: boolean;
}

/** What a {@link fakeCore} saw. */
export interface FakeCore {
  core: Verdant;
  sessions: FakeSession[];
  /** Upgrades and sockets held before they are refused: let one go with `release`, see why it is held by `key`. */
  held: { key: string; release: () => void; left: boolean }[];
  /** Keys of refusals in order, the ones that were let go at once included. */
  refusedKeys: string[];
  logged: unknown[][];
}

/** Behaviour to try a transport with. */
export interface FakeCoreOptions {
  /** Awaited before a token is found to be good or not. */
  authenticating?: () => Promise<void>;
  /** Thrown by `connect`. */
  refusal?: VerdantError;
  /** Hold refusals until released. */
  holding?: boolean;
  maxMessageBytes?: number;
  onReceive?: (session: FakeSession, text: string) => void;
}

/** As much of the sync service as sockets use. Tokens are `good`, `expired…`, `push` (one that allows no socket). */
export const fakeCore = (options: FakeCoreOptions = {}): FakeCore => {
  const sessions: FakeSession[] = [];
  const held: FakeCore['held'] = [];
  const refusedKeys: string[] = [];
  const logged: unknown[][] = [];
  const core = {
    limits: { maxMessageBytes: options.maxMessageBytes ?? 1_000_000 },
    log: createLog((...line) => void logged.push(line), 'debug'),
    authenticate: async (token: string | undefined): Promise<VerifiedToken> => {
      await options.authenticating?.();
      if (!token) throw new VerdantError(VerdantErrorCode.NoToken, 'No access token was sent.');
      if (token.startsWith('expired'))
        throw new VerdantError(VerdantErrorCode.TokenExpired, 'Fetch a fresh one.');
      if (token === 'broken') throw new TypeError('a fault of ours, with a secret');
      if (token !== 'good' && token !== 'push')
        throw new VerdantError(VerdantErrorCode.InvalidToken, 'Not ours.');
      const type = token === 'push' ? ReplicaType.Push : ReplicaType.Realtime;
      return { userId: 'u', libraryId: 'lib', type } as VerifiedToken;
    },
    connect: (_token: VerifiedToken, transport: SocketTransport) => {
      if (options.refusal) throw options.refusal;
      const session: FakeSession = {
        transport,
        received: [],
        refused: [],
        unfinished: { most: 0, last: 0 },
        closed: false,
      };
      sessions.push(session);
      return {
        receive: (text: string) => {
          session.received.push(text);
          options.onReceive?.(session, text);
        },
        unfinished: (bytes: number) => {
          session.unfinished = { most: Math.max(session.unfinished.most, bytes), last: bytes };
        },
        refuse: (error: VerdantError) => session.refused.push(error),
        closed: () => {
          session.closed = true;
        },
      };
    },
    refusals: {
      hold: (key: string, release: () => void) => {
        refusedKeys.push(key);
        if (!options.holding) {
          release();
          return () => {};
        }
        const entry = { key, release, left: false };
        held.push(entry);
        return () => {
          entry.left = true;
        };
      },
    },
    close: async () => {
      for (const { transport } of sessions) transport.close(1001, 'The server is closing');
    },
  } as unknown as Verdant;
  return { core, sessions, held, refusedKeys, logged };
};
