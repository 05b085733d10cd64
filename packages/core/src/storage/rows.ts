import type {
  AuthzKey,
  LibraryId,
  Oid,
  ReplicaId,
  ReplicaType,
  ServerOrder,
  Timestamp,
  UserId,
} from '@verdant-web/protocol';

/** What a library is, apart from its rows. Small: read when the library opens, written with every commit. */
export interface Head {
  /** +1 on each eviction. What was decided in an older epoch cannot commit. */
  epoch: number;
  /** +1 on each change that is not soft. With the epoch: the optimistic lock. */
  version: number;
  /** Whether the library has held content since it was created or evicted. */
  founded: boolean;
  /** The highest server order given out. Never falls, even when every operation has been folded. */
  order: ServerOrder;
  /** The highest server order of which the content is only in baselines. 0: none. */
  foldedThrough: ServerOrder;
  /** The highest global ack that was ever announced. */
  announcedAck: Timestamp | null;
  /** The latest time of any operation or baseline that was stored; null: there was none. */
  latest: Timestamp | null;
  /**
   * Up to where devices may have folded: the announced ack, or the latest time of what a reset or a founding brought them,
   * since those are folded at once. What is dated up to here comes late. Null: nobody can have folded anything.
   */
  horizon: Timestamp | null;
  /** The one replica that wrote everything; null once two have written, or none. */
  soleAuthor: ReplicaId | null;
  /** How many operations are in the log. */
  operations: number;
  /** How many baselines there are. */
  baselines: number;
}

/** One accepted operation. */
export interface OperationRow {
  order: ServerOrder;
  replicaId: ReplicaId;
  oid: Oid;
  timestamp: Timestamp;
  /** The patch, as JSON text: stored and sent as it is. */
  data: string;
  /** The access key of the document at the time; null: public. */
  authz: AuthzKey | null;
}

/** The folded state of one object. */
export interface BaselineRow {
  oid: Oid;
  /** JSON text. */
  snapshot: string;
  timestamp: Timestamp;
  authz: AuthzKey | null;
}

/** A sync reply of which the replica has not proven that it applied it. */
export interface PendingReply {
  /** The `ackedTimestamp` that the reply carried. */
  timestamp: Timestamp;
  /** The server order up to which it told the replica everything. */
  order: ServerOrder;
  /**
   * Whether it told the replica to drop what it has: `first`, or `again` while an earlier reset was still pending.
   * `owed`: as `first`, for a replica that is good but for that it is not known what it holds, or has still to be sent.
   * What it brings until it has applied that is stored, not forfeited.
   */
  reset: 'first' | 'again' | 'owed' | false;
  /**
   * Whether the replica had acknowledged something dated later already, or may have before an eviction: a request that was under
   * way for long, or a clock that was set back. Then a later `since` may come from there, and only this very timestamp is proof.
   */
  late: boolean;
}

/** What the library knows of one device. Never pruned while the library lives: the row is ownership. */
export interface ReplicaRow {
  id: ReplicaId;
  userId: UserId;
  type: ReplicaType;
  /** Everything up to this server order is known to be held by the replica. */
  ackedOrder: ServerOrder;
  /** "I shall write nothing older than this." Null until its first sync. */
  ackedTime: Timestamp | null;
  /** Wall-clock ms. */
  lastSeen: number;
  /** The highest timestamp that this replica ever stored an operation under: a later one cannot be a duplicate. */
  writtenThrough: Timestamp | null;
  /**
   * The timestamp of the last sync that was answered with a reset, or of the one that proved it: what the replica wrote up to
   * then and sends later, it may have lost.
   */
  lastReset: Timestamp | null;
  /** The sync replies that wait for proof, a few at most, in the order in which they were sent. */
  pending: readonly PendingReply[];
}

/** Who may see a document that is or was private. Documents that were never private have none. */
export interface AccessRow {
  /** The document's root object. */
  root: Oid;
  /** Null: it was private, was deleted, and was created again as a public one. */
  authz: AuthzKey | null;
  /** Whether the document was deleted since: the next `initialize` decides anew. */
  deleted: boolean;
}

/** A file that was uploaded. The bytes are in the `FileStorage`. */
export interface FileRow {
  id: string;
  name: string;
  type: string;
  /** Bytes; null: recorded by a server that did not measure them. */
  size: number | null;
  /** Wall-clock ms at which the last reference was released; null: in use. */
  pendingDeleteAt: number | null;
}

/** What makes an operation the same operation when it is sent again. */
export interface OperationKey {
  replicaId: ReplicaId;
  oid: Oid;
  timestamp: Timestamp;
}

/** Access tokens of a user, of a library, or of a user in a library, that are refused from some time on. */
export interface RevocationRow {
  /** Null: whichever user. */
  userId: UserId | null;
  /** Null: whichever library. */
  libraryId: LibraryId | null;
  /** Tokens issued before this are refused, in ms of Unix time. */
  issuedBefore: number;
}
