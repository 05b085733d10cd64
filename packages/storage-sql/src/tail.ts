import type { Head, LibraryChange, OperationRow, ReplicaRow } from '@verdant-web/core';
import type { ReplicaId, ServerOrder, Timestamp } from '@verdant-web/protocol';
import type { Authors } from './authors.js';
import type { SqlDatabase } from './database.js';
import { readHead, updateHead } from './heads.js';
import { putReplicas, storedReplica } from './replicas.js';

/** The tail has so many operations at most: a library that opens reads them. */
const MOST = 256;

/**
 * The newest operations of the log, which the rows of the library and of its replicas do not know of yet. Nearly every
 * commit adds operations and moves the head and their authors on just as operations do. It writes them alone, one page
 * instead of three, with what cannot be told from them in their rows: the version that it made, and what their authors had
 * acknowledged. The next commit of another kind brings the rows of the head and the replicas up to date.
 *
 * Changed inside of transactions. Where one of them fails, this object has to be dropped: a fresh one reads what is there.
 */
export class Tail {
  readonly #key: number;
  #head: Head;
  #length = 0;
  /** Rows of authors, those that are known, as they are. */
  readonly #authors = new Map<ReplicaId, ReplicaRow>();
  /** Those of which the row in the database is behind. */
  readonly #moved = new Set<ReplicaId>();

  constructor(database: SqlDatabase, key: number, authors: Authors) {
    this.#key = key;
    this.#head = readHead(database, key);
    for (const row of database.all<NotedRow>(NOTED, key, this.#head.order)) {
      const [order, author, time, version, ackedOrder] = row;
      const timestamp = time as Timestamp;
      this.#head = headAfter(this.#head, { order, timestamp }, version ?? this.#head.version);
      this.#length++;
      if (ackedOrder === null) continue;
      const id = authors.idOf(author);
      const replica = this.#authors.get(id) ?? storedReplica(database, key, id);
      if (!replica) throw new Error(`Replica ${id}, who wrote an operation, is missing from the database`);
      this.#authors.set(id, replicaAfter(replica, timestamp, ackedOrder));
      this.#moved.add(id);
    }
  }

  /** The head as it is. */
  get head(): Head {
    return this.#head;
  }

  /** The replica as it is, where its row in the database is behind. */
  moved(id: ReplicaId): ReplicaRow | undefined {
    return this.#moved.has(id) ? copyOf(this.#authors.get(id)!) : undefined;
  }

  /** What has to be in the rows of a change's operations for them to be all of it; null: they cannot be. */
  notesOn(change: LibraryChange): Notes | null {
    const { head, operations = [], replicas = [] } = change;
    if (operations.length === 0 || this.#length + operations.length > MOST || changesMore(change))
      return null;
    let next = this.#head;
    for (const operation of operations) next = headAfter(next, operation, head.version);
    if (!isSameHead(next, head)) return null;
    const ackedOrders = new Map<ReplicaId, ServerOrder>();
    for (const replica of replicas) {
      let row = this.#authors.get(replica.id);
      if (row === undefined) return null;
      let wrote = false;
      for (const { replicaId, timestamp } of operations) {
        if (replicaId !== replica.id) continue;
        row = replicaAfter(row, timestamp, replica.ackedOrder);
        wrote = true;
      }
      if (!wrote || !isSameReplica(row, replica)) return null;
      ackedOrders.set(replica.id, replica.ackedOrder);
    }
    return { version: head.version, last: operations.at(-1)!, ackedOrders };
  }

  /** The operations of a change were written, with their notes. */
  extend({ head, operations = [], replicas = [] }: LibraryChange): void {
    this.#head = { ...head };
    this.#length += operations.length;
    for (const replica of replicas) {
      this.#authors.set(replica.id, copyOf(replica));
      this.#moved.add(replica.id);
    }
  }

  /** Writes the head that a change makes, and replicas that are behind and not in the change. From here on the tail is empty. */
  end(database: SqlDatabase, { head, replicas = [], removeReplicas = [] }: LibraryChange): void {
    for (const { id } of replicas) this.#moved.delete(id);
    for (const id of removeReplicas) {
      this.#moved.delete(id);
      this.#authors.delete(id);
    }
    putReplicas(
      database,
      this.#key,
      [...this.#moved].map((id) => this.#authors.get(id)!),
    );
    updateHead(database, this.#key, head);
    this.#moved.clear();
    this.#head = head;
    this.#length = 0;
    for (const replica of replicas)
      if (replica.writtenThrough !== null) this.#authors.set(replica.id, replica);
  }
}

/** What is written in the rows of operations besides them. */
export interface Notes {
  /** The version that their commit makes, in the row of the last of them. */
  version: number;
  last: OperationRow;
  /** How far their authors have acknowledged, in each of their rows. */
  ackedOrders: ReadonlyMap<ReplicaId, ServerOrder>;
}

const NOTED = `
SELECT server_order, author, timestamp, version, acked_order FROM operation
WHERE library = ? AND server_order > ? ORDER BY server_order`;

type NotedRow = readonly [
  order: number,
  author: number,
  timestamp: string,
  version: number | null,
  ackedOrder: number | null,
];

const changesMore = (change: LibraryChange): boolean =>
  change.adopt !== undefined ||
  isAny(change.fold) ||
  isAny(change.dropKeys) ||
  isAny(change.baselines) ||
  isAny(change.removeBaselines) ||
  isAny(change.removeReplicas) ||
  isAny(change.access) ||
  isAny(change.files) ||
  isAny(change.markFiles) ||
  isAny(change.removeFiles);

const isAny = (rows: readonly unknown[] | undefined): boolean => rows !== undefined && rows.length > 0;

// Field by field, all of these: they run for each operation.

const headAfter = (
  head: Head,
  { order, timestamp }: Pick<OperationRow, 'order' | 'timestamp'>,
  version: number,
): Head => ({
  epoch: head.epoch,
  version,
  founded: head.founded,
  order,
  foldedThrough: head.foldedThrough,
  announcedAck: head.announcedAck,
  latest: head.latest === null || timestamp > head.latest ? timestamp : head.latest,
  horizon: head.horizon,
  soleAuthor: head.soleAuthor,
  operations: head.operations + 1,
  baselines: head.baselines,
});

const isSameHead = (one: Head, other: Head): boolean =>
  one.epoch === other.epoch &&
  one.version === other.version &&
  one.founded === other.founded &&
  one.order === other.order &&
  one.foldedThrough === other.foldedThrough &&
  one.announcedAck === other.announcedAck &&
  one.latest === other.latest &&
  one.horizon === other.horizon &&
  one.soleAuthor === other.soleAuthor &&
  one.operations === other.operations &&
  one.baselines === other.baselines;

const replicaAfter = (row: ReplicaRow, timestamp: Timestamp, ackedOrder: ServerOrder): ReplicaRow => ({
  id: row.id,
  userId: row.userId,
  type: row.type,
  ackedOrder,
  ackedTime: laterOf(row.ackedTime, timestamp),
  lastSeen: row.lastSeen,
  writtenThrough: laterOf(row.writtenThrough, timestamp),
  lastReset: row.lastReset,
  pending: row.pending,
});

/** Rows are their owners', who may change them. */
const copyOf = (row: ReplicaRow): ReplicaRow => ({ ...row, pending: [...row.pending] });

const laterOf = (one: Timestamp | null, other: Timestamp): Timestamp =>
  one === null || other > one ? other : one;

const isSameReplica = (one: ReplicaRow, other: ReplicaRow): boolean =>
  one.userId === other.userId &&
  one.type === other.type &&
  one.ackedOrder === other.ackedOrder &&
  one.ackedTime === other.ackedTime &&
  one.lastSeen === other.lastSeen &&
  one.writtenThrough === other.writtenThrough &&
  one.lastReset === other.lastReset &&
  one.pending.length === 0 &&
  other.pending.length === 0;
