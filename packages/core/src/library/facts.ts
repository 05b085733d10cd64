import {
  countsWhileAway,
  isRoot,
  type Oid,
  type Operation,
  type ReplicaId,
  rootOf,
  SERVER_REPLICA_ID,
} from '@verdant-web/protocol';
import type { AccessRow, BaselineRow, OperationKey, OperationRow, ReplicaRow } from '../storage/rows.js';
import type { DocumentRows, LibraryStorage } from '../storage/storage.js';
import { isPublicAfter } from './access.js';
import type { Inbound } from './inbound.js';
import { isOfServer } from './late.js';
import type { Contents } from './same-content.js';
import type { LibraryState } from './state.js';

/** What a batch needs to know beyond the state, fetched before it is decided. */
export interface BatchFacts {
  readonly replicas: ReadonlyMap<ReplicaId, ReplicaRow>;
  /** Keys (see {@link keyOf}) of operations that are stored already. */
  readonly stored: ReadonlySet<string>;
  readonly access: ReadonlyMap<Oid, AccessRow | null>;
  /** Roots that exist as those of public documents, of those where it matters. */
  readonly publicRoots: ReadonlySet<Oid>;
  /** For replicas that were away uncounted: the lowest timestamp of what they have not acknowledged. */
  readonly earliestUnseen: ReadonlyMap<ReplicaId, string | null>;
  /** Rows of objects that an operation came late for; without any, an empty history. */
  readonly objects: ReadonlyMap<Oid, ObjectHistory>;
  /** Everything that the library holds, where a replica sends its full history over its own. */
  readonly contents: Contents | null;
}

const NO_FACTS: BatchFacts = {
  replicas: new Map(),
  stored: new Set(),
  access: new Map(),
  publicRoots: new Set(),
  earliestUnseen: new Map(),
  objects: new Map(),
  contents: null,
};

/** What is stored of one object. */
export interface ObjectHistory {
  baseline: BaselineRow | null;
  /** In timestamp order. */
  operations: readonly OperationRow[];
}

/** One string for what makes an operation the same when it is sent again. */
export const keyOf = (key: OperationKey): string => `${key.replicaId}\n${key.timestamp}\n${key.oid}`;

/**
 * What deciding these messages will ask for. Where the state does not say all of it, which is rare, the storage is asked
 * in one go.
 */
export function gatherFacts(
  storage: LibraryStorage,
  state: LibraryState,
  batch: readonly Inbound[],
): BatchFacts | Promise<BatchFacts> {
  return knowsAll(state, batch) ? NO_FACTS : fetchFacts(storage, state, batch);
}

/** Whether the storage need not be asked: {@link fetchFacts} would find nothing to ask for. */
function knowsAll(state: LibraryState, batch: readonly Inbound[]): boolean {
  const { head, replicas } = state;
  if (head.version === 0) return true;
  for (const { message } of batch) {
    if (message === null || !('replicaId' in message)) continue;
    const row = replicas.get(message.replicaId);
    if (row === undefined) return false;
    if (!head.founded || (message.type !== 'op' && message.type !== 'sync')) continue;
    if (!message.operations.every((operation) => knows(state, row, operation))) return false;
    if (message.type === 'op') continue;
    if (message.operations.length > 0 && !countsWhileAway(row.type)) return false;
    if (message.since === null && head.soleAuthor === row.id) return false;
  }
  return true;
}

const knows = (state: LibraryState, row: ReplicaRow, { oid, timestamp, authz }: Operation): boolean =>
  (row.writtenThrough === null || timestamp > row.writtenThrough) &&
  !isOfServer(timestamp) &&
  authz === undefined &&
  state.access.has(rootOf(oid));

async function fetchFacts(
  storage: LibraryStorage,
  state: LibraryState,
  batch: readonly Inbound[],
): Promise<BatchFacts> {
  const facts = {
    replicas: new Map<ReplicaId, ReplicaRow>(),
    stored: new Set<string>(),
    access: new Map<Oid, AccessRow | null>(),
    publicRoots: new Set<Oid>(),
    earliestUnseen: new Map<ReplicaId, string | null>(),
    objects: new Map<Oid, ObjectHistory>(),
    contents: null as Contents | null,
  };
  await gatherReplicas(storage, state, batch, facts);
  if (!state.head.founded) return facts;

  const keys: OperationKey[] = [];
  const access = new Set<Oid>();
  for (const { message } of batch) {
    if (message?.type !== 'op' && message?.type !== 'sync') continue;
    const row = state.replicas.get(message.replicaId) ?? facts.replicas.get(message.replicaId);
    const written = row?.writtenThrough;
    for (const { oid, timestamp } of message.operations) {
      if (written && timestamp <= written) keys.push({ replicaId: message.replicaId, oid, timestamp });
      if (isOfServer(timestamp)) keys.push({ replicaId: SERVER_REPLICA_ID, oid, timestamp });
      const root = rootOf(oid);
      if (!state.access.has(root)) access.add(root);
    }
    if (message.type === 'sync' && row) {
      if (message.operations.length > 0 && !countsWhileAway(row.type)) {
        facts.earliestUnseen.set(row.id, await storage.earliestAfter(row.ackedOrder));
      }
      if (message.since === null && state.head.soleAuthor === row.id)
        facts.contents = await readContents(storage);
    }
  }
  if (keys.length > 0 || access.size > 0) {
    const found = await storage.lookup({ keys, replicas: [], access: [...access], objects: [] });
    for (const key of found.keys) facts.stored.add(keyOf(key));
    for (const root of access) facts.access.set(root, null);
    for (const row of found.access) facts.access.set(row.root, row);
  }
  await gatherPublicRoots(storage, state, batch, facts);
  return facts;
}

/** These facts, and the rows of objects that deciding a batch has asked for. */
export async function gatherObjects(
  storage: LibraryStorage,
  facts: BatchFacts,
  oids: ReadonlySet<Oid>,
): Promise<BatchFacts> {
  const found = await storage.lookup({ keys: [], replicas: [], access: [], objects: [...oids] });
  const operations = new Map<Oid, OperationRow[]>([...oids].map((oid) => [oid, []]));
  for (const row of found.objects.operations) operations.get(row.oid)?.push(row);
  const baselines = new Map(found.objects.baselines.map((row) => [row.oid, row]));
  const objects = new Map(facts.objects);
  for (const [oid, rows] of operations)
    objects.set(oid, { baseline: baselines.get(oid) ?? null, operations: rows });
  return { ...facts, objects };
}

async function gatherReplicas(
  storage: LibraryStorage,
  state: LibraryState,
  batch: readonly Inbound[],
  facts: { replicas: Map<ReplicaId, ReplicaRow> },
): Promise<void> {
  const unknown = new Set<ReplicaId>();
  for (const { message } of batch) {
    if (message && 'replicaId' in message && !state.replicas.has(message.replicaId))
      unknown.add(message.replicaId);
  }
  if (unknown.size === 0) return;
  const found = await storage.lookup({ keys: [], replicas: [...unknown], access: [], objects: [] });
  for (const row of found.replicas) facts.replicas.set(row.id, row);
}

/** A document becomes private only where no public one exists: asked for the few operations that could make one so. */
async function gatherPublicRoots(
  storage: LibraryStorage,
  state: LibraryState,
  batch: readonly Inbound[],
  facts: Pick<BatchFacts, 'access'> & { publicRoots: Set<Oid> },
): Promise<void> {
  const roots = new Set<Oid>();
  for (const { message } of batch) {
    if (message?.type !== 'op' && message?.type !== 'sync') continue;
    for (const { oid, authz } of message.operations) {
      const root = rootOf(oid);
      const row = state.access.get(root) ?? facts.access.get(root) ?? null;
      if (authz !== undefined && (row === null || row.authz === null)) roots.add(root);
    }
  }
  if (roots.size === 0) return;
  const { objects } = await storage.lookup({ keys: [], replicas: [], access: [], objects: [...roots] });
  for (const root of publicRoots(objects)) facts.publicRoots.add(root);
}

function publicRoots({ baselines, operations }: DocumentRows): Iterable<Oid> {
  const isPublic = new Map<Oid, boolean>();
  for (const row of baselines) isPublic.set(row.oid, row.authz === null);
  for (const row of operations) {
    const patch = JSON.parse(row.data) as Operation['data'];
    isPublic.set(row.oid, isPublicAfter(isPublic.get(row.oid) ?? false, patch, row.authz));
  }
  return [...isPublic].filter(([oid, is]) => is && isRoot(oid)).map(([oid]) => oid);
}

async function readContents(storage: LibraryStorage): Promise<Contents> {
  const baselines: BaselineRow[] = [];
  const operations: OperationRow[] = [];
  for await (const page of storage.readBaselines()) for (const row of page) baselines.push(row);
  for await (const page of storage.readOperations(0, Number.MAX_SAFE_INTEGER)) {
    for (const row of page) operations.push(row);
  }
  return { baselines, operations };
}
