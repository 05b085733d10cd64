import type { Oid, ReplicaId, Timestamp } from '@verdant-web/protocol';
import { emptyHead } from '../storage/empty-head.js';
import type { AccessRow, Head, ReplicaRow } from '../storage/rows.js';
import type { LibraryStorage } from '../storage/storage.js';
import type { SocketConnection } from './connection.js';
import { laterOf } from './later-of.js';
import { TooLargeObjects } from './too-large.js';

/** What a live library keeps in memory of its rows: the head, and the replicas that were seen lately. */
export interface LibraryState {
  head: Head;
  readonly replicas: Map<ReplicaId, ReplicaRow>;
  /** Replicas whose soft fields (acks, last seen) are newer than what is stored, and when (ms) that is due to be written. */
  readonly dirty: Map<ReplicaId, number>;
  /** Replicas of a type that counts only while connected, that have been connected ever since their last sync. */
  readonly counted: Set<ReplicaId>;
  /** Replicas of readers that wrote, which they may not: what they hold is to be reset. */
  readonly wroteForbidden: Set<ReplicaId>;
  /** When (ms) replicas were last sent a reset over HTTP. */
  readonly resetOverHttp: Map<ReplicaId, number>;
  /** Timestamps of the last syncs of each replica that were answered: the same one again proves nothing new. */
  readonly answered: Map<ReplicaId, readonly Timestamp[]>;
  /** Up to when replicas had written when the library was last evicted: what they wrote may be in the history of others now. */
  readonly writtenBefore: Map<ReplicaId, Timestamp>;
  /** What each replica's `since` has passed since keys were last dropped. */
  readonly confirmedSince: Map<ReplicaId, Timestamp>;
  /** Access rows that were looked up or written, null for roots that have none. Bounded. */
  readonly access: Map<Oid, AccessRow | null>;
  /** Looked for anew when the library is read again. */
  readonly tooLarge: TooLargeObjects;
}

/** Read a library's state. */
export async function loadState(storage: LibraryStorage, activeSince: number): Promise<LibraryState> {
  const stored = await storage.load(activeSince);
  return {
    head: stored?.head ?? emptyHead,
    replicas: new Map(stored?.replicas.map((row) => [row.id, row])),
    dirty: new Map(),
    counted: new Set(),
    wroteForbidden: new Set(),
    resetOverHttp: new Map(),
    answered: new Map(),
    writtenBefore: new Map(),
    confirmedSince: new Map(),
    access: new Map(),
    tooLarge: new TooLargeObjects(),
  };
}

/**
 * What was acknowledged is written within ten seconds, where it has not become the reason to announce or fold anything;
 * times alone, which idle polls change, within half a minute.
 */
const ACK_DUE_MS = 10_000;
const TIME_DUE_MS = 30_000;

/** Take a replica's soft change into the state. It is written with the next commit, or when it is due. */
export function changeSoftly(state: LibraryState, row: ReplicaRow, now: number): void {
  const before = state.replicas.get(row.id);
  const acked = before?.ackedOrder !== row.ackedOrder || before.pending !== row.pending;
  const due = Math.min(
    state.dirty.get(row.id) ?? Number.POSITIVE_INFINITY,
    now + (acked ? ACK_DUE_MS : TIME_DUE_MS),
  );
  state.replicas.set(row.id, row);
  state.dirty.set(row.id, due);
}

/**
 * The row of the replica that a socket speaks for; undefined: there is none, or none of its user's. Before a replica has
 * synced, anybody can say that theirs has its id.
 */
export function replicaOf(
  { replicaId, caller }: Pick<SocketConnection, 'replicaId' | 'caller'>,
  state: LibraryState,
): ReplicaRow | undefined {
  const row = replicaId === null ? undefined : state.replicas.get(replicaId);
  return row?.userId === caller.userId ? row : undefined;
}

/** Take over, from the state as it was, what is known of requests that are under way: it outlives a reload and an eviction. */
export function keepRequests(state: LibraryState, before: LibraryState): void {
  for (const [id, timestamps] of before.answered) state.answered.set(id, timestamps);
  for (const [id, at] of before.resetOverHttp) state.resetOverHttp.set(id, at);
  for (const [id, through] of before.writtenBefore) state.writtenBefore.set(id, through);
  if (state.head.epoch === before.head.epoch) return;
  for (const { id, writtenThrough } of before.replicas.values()) {
    if (writtenThrough === null) continue;
    state.writtenBefore.set(id, laterOf(state.writtenBefore.get(id) ?? null, writtenThrough));
  }
}
