import type {
  AccessRow,
  BaselineRow,
  FileRow,
  Head,
  OperationKey,
  OperationRow,
  ReplicaRow,
} from '@verdant-web/core';
import type { AuthzKey, Oid, ReplicaId, Timestamp, UserId } from '@verdant-web/protocol';

/** The n-th moment, as a timestamp. */
export const at = (moment: number): Timestamp =>
  `0001${moment.toString(36).padStart(9, '0')}0000node-01` as Timestamp;

export const oid = (text: string): Oid => text as Oid;
export const replicaId = (text: string): ReplicaId => text as ReplicaId;
export const authz = (text: string): AuthzKey => text as AuthzKey;

export const head = (changes: Partial<Head> = {}): Head => ({
  epoch: 0,
  version: 1,
  founded: false,
  order: 0,
  foldedThrough: 0,
  announcedAck: null,
  latest: null,
  horizon: null,
  soleAuthor: null,
  operations: 0,
  baselines: 0,
  ...changes,
});

/** An operation; unless told otherwise, one on `items/1` at the moment that equals its order. */
export const operation = (order: number, changes: Partial<OperationRow> = {}): OperationRow => ({
  order,
  replicaId: replicaId('replica'),
  oid: oid('items/1'),
  timestamp: at(order),
  data: JSON.stringify({ op: 'set', name: 'n', value: order }),
  authz: null,
  ...changes,
});

export const operations = (count: number, changes: (order: number) => Partial<OperationRow> = () => ({})) =>
  Array.from({ length: count }, (_, index) => operation(index + 1, changes(index + 1)));

export const baseline = (id: string, changes: Partial<BaselineRow> = {}): BaselineRow => ({
  oid: oid(id),
  snapshot: JSON.stringify({ id }),
  timestamp: at(1),
  authz: null,
  ...changes,
});

export const replica = (id: string, changes: Partial<ReplicaRow> = {}): ReplicaRow => ({
  id: replicaId(id),
  userId: 'user' as UserId,
  type: 0,
  ackedOrder: 0,
  ackedTime: null,
  lastSeen: 1_000,
  writtenThrough: null,
  lastReset: null,
  pending: [],
  ...changes,
});

export const access = (root: string, changes: Partial<AccessRow> = {}): AccessRow => ({
  root: oid(root),
  authz: authz('dTpqb2U6Kg=='),
  deleted: false,
  ...changes,
});

export const file = (id: string, changes: Partial<FileRow> = {}): FileRow => ({
  id,
  name: `${id}.png`,
  type: 'image/png',
  size: 1_000,
  pendingDeleteAt: null,
  ...changes,
});

export const keyOf = ({ replicaId, oid, timestamp }: OperationRow): OperationKey => ({
  replicaId,
  oid,
  timestamp,
});

export const NO_QUERY = { keys: [], replicas: [], access: [], objects: [] };
