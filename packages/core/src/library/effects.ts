import type {
  AuthzKey,
  ClientMessage,
  Oid,
  ReplicaId,
  ServerOrder,
  Timestamp,
  VerdantError,
} from '@verdant-web/protocol';
import type { BaselineRow, PendingReply } from '../storage/rows.js';
import type { AdmittedOperation } from './admission.js';
import type { StagedContent } from './founding.js';

/**
 * What became of a sync. `empty`: the library holds nothing, and it brought nothing that may found it. `founded` it, or
 * `merged`: what it brought is stored, and it is told what it has missed. The others are resets, by their reason: the
 * replica is `new` here, asks `from-the-start`, never took its `last-reset`, missed what was `folded`, may `read-only`
 * but brings changes, was away for too long (`truant`) or `uncounted` while others wrote.
 */
export type SyncOutcome = 'empty' | 'founded' | 'merged' | ResetReason;

export type ResetReason =
  | 'new'
  | 'from-the-start'
  | 'last-reset'
  | 'folded'
  | 'read-only'
  | 'truant'
  | 'uncounted'
  | 'unsure';

/** What a sync is answered with. The rows are read when it is sent; they are those of `through`. */
export interface SyncReply {
  /** For the log. */
  outcome: SyncOutcome;
  ackedTimestamp: Timestamp;
  overwriteLocalData: boolean;
  /** Operations after this server order. */
  from: ServerOrder;
  through: ServerOrder;
  /** Keys of operations that the caller just sent. */
  except: ReadonlySet<string>;
  /** What the replica has to prove that it applied; null: nothing. */
  pending: PendingReply | null;
}

/** What the world hears of a decision, once it is durable. */
export type Effect =
  | { kind: 'reply'; reply: SyncReply; replicaId: ReplicaId }
  | { kind: 'need-since' }
  | { kind: 'forbidden' }
  | { kind: 'heartbeat' }
  | { kind: 'server-ack'; timestamp: Timestamp }
  | { kind: 'refuse'; error: VerdantError }
  | { kind: 'presence'; message: Extract<ClientMessage, { type: 'presence-update' }> }
  | { kind: 'leave'; replicaId: ReplicaId }
  | { kind: 'proof'; timestamp: Timestamp }
  | {
      kind: 'changes';
      replicaId: ReplicaId;
      operations: readonly AdmittedOperation[];
      baselines: readonly BaselineRow[];
      /** The server order of the last of them. */
      through: ServerOrder;
      /** What others hold was replaced, not only added to: they have to start over. */
      replaced: boolean;
      /** A reset that the author was sent may have wiped, or may yet wipe, what it just wrote on its device. */
      mayBeWiped: boolean;
    }
  /** What the server wrote after these changes, for operations in them that came late. */
  | {
      kind: 'repairs';
      operations: readonly AdmittedOperation[];
      /** The server order of the last of them. */
      through: ServerOrder;
      /** Whether the author finds them in the answer to its sync. Otherwise it is told as everybody else. */
      inReply: boolean;
    }
  /** The library was founded with content that was staged. */
  | { kind: 'founded'; replicaId: ReplicaId; staged: StagedContent }
  | { kind: 'access-refused'; replicaId: ReplicaId; oid: Oid; authz: AuthzKey | undefined };
