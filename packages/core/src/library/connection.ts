import type { AuthzKey, ReplicaId, ReplicaType, UserId, VerdantError } from '@verdant-web/protocol';
import type { Log } from '../log.js';
import type { Delivery } from './delivery.js';
import type { Outbox } from './outbox.js';

/** Who speaks: what the token says. */
export interface Caller {
  readonly userId: UserId;
  /** The access key of this user's private documents. */
  readonly authz: AuthzKey;
  readonly type: ReplicaType;
  readonly role: string | undefined;
}

/** A socket that is in a library. */
export interface SocketConnection {
  readonly kind: 'socket';
  readonly caller: Caller;
  /** With the ids of the connection. */
  readonly log: Log;
  readonly outbox: Outbox;
  readonly delivery: Delivery;
  /** The replica that it speaks for, from its first accepted message on. */
  replicaId: ReplicaId | null;
  /** Whether a sync was answered here: from then on it is sent what others write. */
  synced: boolean;
  /** Whether nothing that it sends is worked off any more. */
  readonly refused: boolean;
  /** It was told of changes, which its client will acknowledge. */
  expectAck(): void;
  /** Refuse whatever else comes, and close it slowly. */
  refuse(error: VerdantError): void;
  /** Close it now, so that the client connects again. */
  close(code: number, reason: string): void;
}

/** One HTTP request, while it is worked off. */
export interface RequestConnection {
  readonly kind: 'request';
  readonly caller: Caller;
  /** With the ids of the request. */
  readonly log: Log;
}

export type Connection = SocketConnection | RequestConnection;
