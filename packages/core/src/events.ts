import type {
  AuthzKey,
  Baseline,
  LibraryId,
  Operation,
  ReplicaId,
  ServerOrder,
  UserId,
  VerdantErrorCode,
} from '@verdant-web/protocol';

/** Who caused an event. */
export interface ChangeInfo {
  libraryId: LibraryId;
  userId: UserId;
  replicaId: ReplicaId;
  /** The `role` claim of the token, as the app put it there. */
  role: string | undefined;
  /** The server order of the last operation of the change. */
  serverOrder: ServerOrder;
}

/** What a listener is told. Each is told only of what is durable. */
export interface VerdantEventMap {
  /**
   * Operations were stored, and baselines where the library was just founded. Private documents included: see `authz`. What a
   * large library is founded with comes in several events of the same `serverOrder`.
   */
  changes: (info: ChangeInfo, operations: readonly Operation[], baselines: readonly Baseline[]) => void;
  /** A library was evicted. */
  evicted: (info: { libraryId: LibraryId }) => void;
  /** A user came into a library. */
  userConnected: (info: { libraryId: LibraryId; userId: UserId }) => void;
  /** A user's last connection to a library is gone. */
  userDisconnected: (info: { libraryId: LibraryId; userId: UserId }) => void;
  /** A file was stored. */
  fileUploaded: (info: {
    libraryId: LibraryId;
    userId: UserId;
    fileId: string;
    name: string;
    type: string;
  }) => void;
  /** A message was refused whole: malformed, over a limit, or from a clock that is too fast (code 5031). */
  messageRefused: (info: {
    libraryId: LibraryId;
    userId: UserId;
    /** Null where the message did not get so far as to say. */
    replicaId: ReplicaId | null;
    code: VerdantErrorCode;
    reason: string;
  }) => void;
  /** An operation or a document was refused by an access rule; its sender has no way to be told. */
  accessRefused: (info: {
    libraryId: LibraryId;
    userId: UserId;
    replicaId: ReplicaId;
    oid: string;
    authz: AuthzKey | undefined;
  }) => void;
}

export interface VerdantEvents {
  /** Call `listener` for each event of that kind; the returned function ends it. A listener that throws is logged. */
  subscribe<Kind extends keyof VerdantEventMap>(kind: Kind, listener: VerdantEventMap[Kind]): () => void;
}
