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
  replicas: Map<ReplicaId, ReplicaRow>;
  /** Keys (see {@link keyOf}) of operations that are stored already. */
  stored: Set<string>;
  access: Map<Oid, AccessRow | null>;
  /** Roots that exist as those of public documents, of those where it matters. */
  publicRoots: Set<Oid>;
  /** For replicas that were away uncounted: the lowest timestamp of what they have not acknowledged. */
  earliestUnseen: Map<ReplicaId, string | null>;
  /** Rows of objects that an operation came late for; without any, an empty history. */
  objects: Map<Oid, ObjectHistory>;
  /** Everything that the library holds, where a replica sends its full history over its own. */
  contents: Contents | null;
}

/** What is stored of one object. */
export interface ObjectHistory {
  baseline: BaselineRow | null;
  /** In timestamp order. */
  operations: readonly OperationRow[];
}

/** One string for what makes an operation the same when it is sent again. */
export const keyOf = (key: OperationKey): string => `${key.replicaId}\n${key.timestamp}\n${key.oid}`;

/** Fetch what deciding these messages will ask for. Asks the storage only where the state does not say. */
export async function gatherFacts(
  storage: LibraryStorage,
  state: LibraryState,
  batch: readonly Inbound[],
): Promise<BatchFacts> {
  const facts: BatchFacts = {
    replicas: new Map(),
    stored: new Set(),
    access: new Map(),
    publicRoots: new Set(),
    earliestUnseen: new Map(),
    objects: new Map(),
    contents: null,
  };
  if (state.head.version === 0) return facts;
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

/** Fetch the rows of objects that deciding a batch has asked for. */
export async function gatherObjects(
  storage: LibraryStorage,
  facts: BatchFacts,
  oids: ReadonlySet<Oid>,
): Promise<void> {
  const { objects } = await storage.lookup({ keys: [], replicas: [], access: [], objects: [...oids] });
  const operations = new Map<Oid, OperationRow[]>([...oids].map((oid) => [oid, []]));
  for (const row of objects.operations) operations.get(row.oid)?.push(row);
  for (const [oid, rows] of operations) facts.objects.set(oid, { baseline: null, operations: rows });
  for (const baseline of objects.baselines) facts.objects.get(baseline.oid)!.baseline = baseline;
}

async function gatherReplicas(
  storage: LibraryStorage,
  state: LibraryState,
  batch: readonly Inbound[],
  facts: BatchFacts,
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
  facts: BatchFacts,
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
