/** The wire as docs/protocol.md states it, written down here anew: nothing of the product's own types. */

export interface Ref {
  '@@type': 'ref' | 'file';
  id: string;
}

export interface Patch {
  op: string;
  [field: string]: unknown;
}

export interface Operation {
  oid: string;
  timestamp: string;
  data: Patch;
  authz?: string;
}

export interface Baseline {
  oid: string;
  timestamp: string;
  snapshot: unknown;
  authz?: string;
}

export interface UserInfo {
  id: string;
  replicaId: string;
  profile: unknown;
  presence: unknown;
  internal: unknown;
}

interface SyncResponse {
  type: 'sync-resp';
  operations: Operation[];
  baselines: Baseline[];
  overwriteLocalData: boolean;
  globalAckTimestamp?: string;
  peerPresence: Record<string, UserInfo>;
  ackedTimestamp: string;
  ackThisNonce?: unknown;
}

export type ServerMessage =
  | SyncResponse
  | {
      type: 'op-re';
      operations: Operation[];
      baselines?: Baseline[];
      replicaId: string;
      globalAckTimestamp?: string;
      ackThisNonce?: unknown;
    }
  | { type: 'heartbeat-response' }
  | { type: 'presence-changed'; replicaId: string; userInfo: UserInfo }
  | { type: 'presence-offline'; userId: string; replicaId?: string }
  | { type: 'global-ack'; timestamp: string }
  | { type: 'server-ack'; timestamp: string }
  | { type: 'need-since'; since: null }
  | { type: 'forbidden' };

export type MessageType = ServerMessage['type'];
export type MessageOf<Type extends MessageType> = Extract<ServerMessage, { type: Type }>;

let lastMs = 0;
let counter = 0;

/** A timestamp as clients write it, each later than the one before. A given time is used as it is. */
export function stamp(ms?: number, version = 1): string {
  if (ms === undefined) lastMs = Math.max(lastMs, Date.now());
  counter++;
  if (counter === 36 ** 4) {
    counter = 0;
    lastMs++;
  }
  const digits = (value: number, length: number) => value.toString(36).padStart(length, '0');
  return `${digits(version, 4)}${digits(ms ?? lastMs, 9)}${digits(counter, 4)}wirerul`;
}

/** After a test has moved the clock: begin again at the time that it is. */
export function resetStamps(): void {
  lastMs = 0;
}

/** A timestamp with the same time, version and counter: what a clock of the same node would never give twice. */
export const stampNear = (timestamp: string, offsetMs: number): string =>
  timestamp.slice(0, 4) +
  (Number.parseInt(timestamp.slice(4, 13), 36) + offsetMs).toString(36).padStart(9, '0') +
  timestamp.slice(13);

export const msOf = (timestamp: string): number => Number.parseInt(timestamp.slice(4, 13), 36);

/** A sync that brings nothing, of a replica that begins from nothing; who sends it adds its `replicaId`. */
export const emptySync = () => ({
  type: 'sync',
  timestamp: stamp(),
  operations: [],
  baselines: [],
  schemaVersion: 1,
  since: null,
});

export const op = (oid: string, data: Patch, authz?: string): Operation => ({
  oid,
  timestamp: stamp(),
  data,
  ...(authz === undefined ? {} : { authz }),
});
export const init = (oid: string, value: unknown, authz?: string) =>
  op(oid, { op: 'initialize', value }, authz);
export const set = (oid: string, name: string, value: unknown, authz?: string) =>
  op(oid, { op: 'set', name, value }, authz);
export const push = (oid: string, value: unknown) => op(oid, { op: 'list-push', value });
export const remove = (oid: string) => op(oid, { op: 'delete' });
export const ref = (id: string): Ref => ({ '@@type': 'ref', id });
export const fileRef = (id: string): Ref => ({ '@@type': 'file', id });

/** As a server writes it: base64 of UTF-8. */
export const privateTo = (userId: string) => Buffer.from(`u:${userId}:*`, 'utf8').toString('base64');
/** As a browser's `btoa` writes it: base64 of Latin-1. */
export const privateToLatin1 = (userId: string) => Buffer.from(`u:${userId}:*`, 'latin1').toString('base64');
export const ORIGINATOR = privateTo('$$_originator_$$');
