import type { AuthzKey, LibraryId, Oid, ReplicaId, ServerOrder, Timestamp } from '@verdant-web/protocol';
import type {
  AccessRow,
  BaselineRow,
  FileRow,
  Head,
  OperationKey,
  OperationRow,
  ReplicaRow,
  RevocationRow,
} from './rows.js';

/** Where libraries are kept. Implementations are proven by the suite of `@verdant-web/testkit/storage`. */
export interface Storage {
  readonly limits: StorageLimits;
  /**
   * Opens a library. Creates nothing, on disk or elsewhere, before the first commit. One `LibraryStorage` at a time per
   * id: opening one again cuts the earlier one off, whose calls reject from then on.
   */
  open(id: LibraryId): Promise<LibraryStorage>;
  /**
   * Every library that ever had a commit, evicted ones included, in an order of the backend's own that does not change; after
   * `after`, when given. One that cannot be read now is listed too, or the listing rejects: whoever takes it for all there
   * is may delete the rest.
   */
  list(after?: LibraryId): AsyncIterable<LibraryId>;
  /**
   * Moves what a library is kept in out of the way where it is damaged, so that the library holds nothing and can be founded
   * anew. Nothing is deleted. Resolves to where it is now; null: it is not damaged. Asked where an eviction
   * fails. Left out where libraries are not apart from each other.
   */
  setAside?(id: LibraryId): Promise<string | null>;
  /** Every revocation that was put, in any order. Creates nothing where there is none. */
  readRevocations(): Promise<RevocationRow[]>;
  /**
   * Keeps a revocation, durably. Of one user and library, of which either may be null, the latest `issuedBefore` stays.
   * Evicting a library leaves it as it is.
   */
  putRevocation(row: RevocationRow): Promise<void>;
  /** Closes everything. Libraries that are open cannot be used afterwards. */
  close(): Promise<void>;
}

export interface StorageLimits {
  /** The largest JSON text of one operation or snapshot that can be kept, in bytes of UTF-8. */
  maxValueBytes: number;
  /** Whether several server processes may work on the same storage. */
  multiProcess: boolean;
}

/** One library's rows. Calls are made one at a time, except that reads may overlap with commits that do not fold. */
export interface LibraryStorage {
  /** The head, and the replicas seen at or after `activeSince` (ms). Null: the library has never had a commit. */
  load(activeSince: number): Promise<{ head: Head; replicas: ReplicaRow[] } | null>;
  /** One indexed multi-get for a whole batch. What is not there is left out of the answer. */
  lookup(query: Lookup): Promise<Facts>;
  /**
   * Makes the change, atomically and durably, or nothing of it. A conflict where the stored head is not the one that
   * `change.expect` names (a library without a commit stands at epoch 0, version 0). Rejects, with nothing changed, where a
   * server order is taken. Within a change operations are appended, then folded, then keys dropped; of baselines,
   * replicas and files those removed go before others come.
   */
  commit(change: LibraryChange): Promise<CommitResult>;
  /**
   * Writes the content of a library that holds none yet, page by page, each in a transaction of its own, so that a large
   * first commit keeps nobody waiting and is never in memory as a whole. Nobody sees the rows until a commit of this same
   * `LibraryStorage` adopts them. Rejects as `pages` does where that rejects, and then keeps nothing. What is never adopted
   * ({@link discardStage}, an eviction, a library that was closed, a crash) is deleted by {@link reclaim}.
   */
  stage(pages: AsyncIterable<StagedRows>): Promise<StageId>;
  /** The staged rows are not needed: {@link reclaim} may delete them. */
  discardStage(id: StageId): Promise<void>;
  /**
   * Starts a new epoch with `head`, a later one than before: afterwards nothing of the old one can be read, but for
   * {@link evictedFiles}; a reading of pages that was under way rejects.
   * Atomic and durable. The rows are deleted, and disk space is given back, in slices by {@link reclaim}.
   */
  evict(head: Head): Promise<void>;
  /**
   * Deletes evicted rows, and staged ones that nobody will adopt, and gives free space back, for about `maxMs`.
   * True: there is more to do.
   */
  reclaim(maxMs: number): Promise<boolean>;

  /** The document's root and nested objects, by index: baselines in oid order, operations in timestamp order. */
  readDocument(root: Oid): Promise<DocumentRows>;
  /** All baselines, in pages. The engine does not fold while it reads. */
  readBaselines(): AsyncIterable<BaselineRow[]>;
  /**
   * The same baselines in the same order, each as it goes over the wire: where a database can build that text by itself, more
   * cheaply than it hands out rows. Left out: the engine encodes what {@link readBaselines} gives.
   */
  readBaselineTexts?(): AsyncIterable<BaselineText[]>;
  /** Operations with `after` < order ≤ `through`, in server order, in pages. The engine does not fold while it reads. */
  readOperations(after: ServerOrder, through: ServerOrder): AsyncIterable<OperationRow[]>;
  /** The same operations in the same order, each as it goes over the wire; left out as {@link readBaselineTexts} may be. */
  readOperationTexts?(after: ServerOrder, through: ServerOrder): AsyncIterable<OperationText[]>;
  /** The lowest timestamp of the operations with order > `after`; null: there is none. */
  earliestAfter(after: ServerOrder): Promise<Timestamp | null>;
  /**
   * Operations that may be folded, looked for from server order `after` (exclusive) upwards, about `limit` of them.
   * An operation may be folded when its order is ≤ `through`, its timestamp is < `before`, and every operation of the
   * same object with a lower timestamp may be folded too. An answer may hold fewer than there are, even none, and
   * say in `next` where to look further. Of an object with many operations it holds the earliest; the rest come from the same
   * `after` once these are folded. Objects in `except` are passed over.
   */
  foldable(query: FoldQuery): Promise<Foldable>;

  /** The file's record; null: unknown. */
  readFile(id: string): Promise<FileRow | null>;
  /** All files, in pages, each id once. One that is put or removed meanwhile may be in it or not. */
  readFiles(): AsyncIterable<FileRow[]>;
  /** Files released at or before `before` (ms), at most `limit`. */
  expiredFiles(before: number, limit: number): Promise<FileRow[]>;
  /**
   * Files of evicted epochs whose bytes may still lie in the file storage, at most `limit`. Not one that was put in
   * the present epoch too: the bytes are its own.
   */
  evictedFiles(limit: number): Promise<FileRow[]>;
  /** Forget these files of evicted epochs: their bytes are gone. */
  forgetEvictedFiles(ids: readonly string[]): Promise<void>;

  /** Every replica, truant ones included, in id order. */
  readReplicas(): Promise<ReplicaRow[]>;
  /** Lets go of what is held for this library. It may be opened again. */
  close(): Promise<void>;
}

export interface Lookup {
  /** Which of these are stored, in the log or as keys of folded operations? */
  keys: readonly OperationKey[];
  replicas: readonly ReplicaId[];
  /** Access of these document roots. */
  access: readonly Oid[];
  /** The rows of exactly these objects (not of what is nested in them). */
  objects: readonly Oid[];
}

export interface Facts {
  keys: OperationKey[];
  replicas: ReplicaRow[];
  access: AccessRow[];
  objects: DocumentRows;
}

/** Rows of some objects. Of one object, operations are in timestamp order. */
export interface DocumentRows {
  baselines: BaselineRow[];
  operations: OperationRow[];
}

/** A baseline as it goes over the wire, and what says where it belongs and who may see it. */
export interface BaselineText {
  oid: Oid;
  authz: AuthzKey | null;
  /** JSON: `{"oid":…,"snapshot":…,"timestamp":…}`, with `"authz":…` where it is not null. */
  text: string;
}

/** An operation as it goes over the wire, and what says whose it is, where it belongs and who may see it. */
export interface OperationText extends OperationKey {
  order: ServerOrder;
  authz: AuthzKey | null;
  /** JSON: `{"oid":…,"timestamp":…,"data":…}`, with `"authz":…` where it is not null. */
  text: string;
}

export interface FoldQuery {
  after: ServerOrder;
  through: ServerOrder;
  before: Timestamp;
  limit: number;
  /** Objects that are passed over: they are too large to be folded. Left out: none is. */
  except?: readonly Oid[];
}

export interface Foldable {
  /** Grouped by object, in timestamp order within each. */
  operations: OperationRow[];
  /** The present baselines of those objects. */
  baselines: BaselineRow[];
  /** Every operation up to this server order was looked at; null: the end (`through`) was reached. */
  next: ServerOrder | null;
}

/** A page of rows that are staged. Lists that are left out are empty. */
export interface StagedRows {
  operations?: readonly OperationRow[];
  baselines?: readonly BaselineRow[];
  access?: readonly AccessRow[];
}

declare const stageId: unique symbol;

/** Names rows that were staged, among those of one `LibraryStorage`. Opaque but to the backend that made it. */
export type StageId = string & { readonly [stageId]: true };

/** One atomic change. Lists that are left out are empty. */
export interface LibraryChange {
  /** The head that this change was decided on. */
  expect: { epoch: number; version: number };
  /** The head as it is afterwards. */
  head: Head;
  /**
   * Staged rows that become the library's, before the rest of the change. The commit rejects, with nothing changed, where
   * there is no such stage (any more), or the library holds operations or baselines.
   */
  adopt?: StageId;
  /** Appended to the log. */
  operations?: readonly OperationRow[];
  /** Inserted, or replacing the baseline of the same object. */
  baselines?: readonly BaselineRow[];
  /** Objects whose baselines go. */
  removeBaselines?: readonly Oid[];
  /** Operations that leave the log, by server order. Their keys stay. */
  fold?: readonly ServerOrder[];
  /** Keys of folded operations that are no longer needed: those of the replica with a timestamp ≤ `through`. */
  dropKeys?: readonly { replicaId: ReplicaId; through: Timestamp }[];
  /** Inserted, or replacing the replica of the same id. */
  replicas?: readonly ReplicaRow[];
  removeReplicas?: readonly ReplicaId[];
  /** Inserted, or replacing the row of the same root. */
  access?: readonly AccessRow[];
  /** Inserted, or replacing the file of the same id. */
  files?: readonly FileRow[];
  /** Files that are known by these ids are pending deletion from this time (ms) on, or (null) in use again. */
  markFiles?: readonly { ids: readonly string[]; pendingDeleteAt: number | null }[];
  removeFiles?: readonly string[];
}

export type CommitResult = { ok: true } | { ok: false; conflict: Head };
