import type { AuthzKey, ReplicaId, ServerMessage } from '@verdant-web/protocol';
import type { BaselineRow, OperationRow } from '../storage/rows.js';

/** An operation as it goes over the wire: the stored text of its patch, spliced. A timestamp has nothing that JSON would escape. */
export const encodeOperation = ({ oid, timestamp, data, authz }: OperationRow): string =>
  `{"oid":${JSON.stringify(oid)},"timestamp":"${timestamp}","data":${data}${encodeAuthz(authz)}}`;

/** A baseline as it goes over the wire. */
export const encodeBaseline = ({ oid, snapshot, timestamp, authz }: BaselineRow): string =>
  `{"oid":${JSON.stringify(oid)},"snapshot":${snapshot},"timestamp":"${timestamp}"${encodeAuthz(authz)}}`;

/** An `op-re` of texts that were encoded before. */
export const encodeRebroadcast = (
  replicaId: ReplicaId,
  operations: readonly string[],
  baselines: readonly string[],
): string =>
  `{"type":"op-re","replicaId":${JSON.stringify(replicaId)},"operations":[${operations.join(',')}]${
    baselines.length > 0 ? `,"baselines":[${baselines.join(',')}]` : ''
  }}`;

/** Any message that carries no operations. */
export const encodeMessage = (message: Exclude<ServerMessage, { type: 'sync-resp' | 'op-re' }>): string =>
  JSON.stringify(message);

const encodeAuthz = (authz: AuthzKey | null): string =>
  authz === null ? '' : `,"authz":${JSON.stringify(authz)}`;
