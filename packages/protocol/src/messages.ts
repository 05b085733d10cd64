import type { AuthzKey, Oid, ReplicaId, Timestamp, UserId } from './ids.js';
import type { Patch, PlainObject } from './patch.js';

/** One change to one object. */
export interface Operation {
  oid: Oid;
  timestamp: Timestamp;
  data: Patch;
  /** Who may see the document; absent on a public one. */
  authz?: AuthzKey;
}

/** The flattened state of one object. */
export interface Baseline {
  oid: Oid;
  snapshot: PlainObject;
  timestamp: Timestamp;
  authz?: AuthzKey;
}

/** Keeps a socket's client content. Old clients add fields, which are ignored. */
export interface HeartbeatMessage {
  type: 'heartbeat';
}

export interface PresenceUpdateMessage {
  type: 'presence-update';
  replicaId: ReplicaId;
  /** The app's presence value; absent keeps what was there. */
  presence?: unknown;
  /** The client library's own presence value (5.x); absent keeps what was there. */
  internal?: unknown;
}

export interface SyncMessage {
  type: 'sync';
  replicaId: ReplicaId;
  timestamp: Timestamp;
  operations: Operation[];
  baselines: Baseline[];
  schemaVersion: number;
  /** "Treat me as new." */
  resyncAll: boolean;
  /** Logical time of the last sync that the client applied; null: here is my whole history. */
  since: Timestamp | null;
}

export interface OperationMessage {
  type: 'op';
  replicaId: ReplicaId;
  timestamp: Timestamp;
  operations: Operation[];
}

/** "I hold the operation with this timestamp, and all that you sent me before it." */
export interface AckMessage {
  type: 'ack';
  replicaId: ReplicaId;
  /** Absent where the client returned only a nonce, which proves nothing. */
  timestamp?: Timestamp;
  /** Whether a nonce came with it; then the timestamp says nothing about an operation. */
  nonce?: string;
}

/** Deprecated form of an `ack` with a nonce, still sent by old clients. Ignored. */
export interface SyncAckMessage {
  type: 'sync-ack';
  replicaId: ReplicaId;
}

export interface DisconnectingMessage {
  type: 'disconnecting';
  replicaId: ReplicaId;
  reason?: string;
}

/** What a client may send. */
export type ClientMessage =
  | HeartbeatMessage
  | PresenceUpdateMessage
  | SyncMessage
  | OperationMessage
  | AckMessage
  | SyncAckMessage
  | DisconnectingMessage;

/** A present user, as others see it. */
export interface UserInfo {
  id: UserId;
  replicaId: ReplicaId;
  /** From the server's `profiles`; never settable by a client. */
  profile: unknown;
  presence: unknown;
  internal: unknown;
}

export interface SyncResponseMessage {
  type: 'sync-resp';
  operations: Operation[];
  baselines: Baseline[];
  /** The client drops what it has and takes this. */
  overwriteLocalData: boolean;
  globalAckTimestamp?: Timestamp;
  peerPresence: Record<string, UserInfo>;
  /** The timestamp of the sync that this answers: from now on the client sends only what is newer. */
  ackedTimestamp: Timestamp;
}

export interface OperationRebroadcastMessage {
  type: 'op-re';
  operations: Operation[];
  /** Only when the library was just founded. */
  baselines?: Baseline[];
  replicaId: ReplicaId;
  globalAckTimestamp?: Timestamp;
}

/** What the server may send. */
export type ServerMessage =
  | { type: 'heartbeat-response' }
  | SyncResponseMessage
  | OperationRebroadcastMessage
  | { type: 'presence-changed'; replicaId: ReplicaId; userInfo: UserInfo }
  | { type: 'presence-offline'; userId: UserId; replicaId: ReplicaId }
  | { type: 'global-ack'; timestamp: Timestamp }
  | { type: 'server-ack'; timestamp: Timestamp }
  | { type: 'need-since'; since: null }
  | { type: 'forbidden' };
