/** What a token allows its replica to do, and whether others wait for it. The `type` claim. */
export const ReplicaType = {
  /** Socket or HTTP, reads and writes, counts for consensus. */
  Realtime: 0,
  /** HTTP only, reads and writes, counts for consensus. */
  Push: 1,
  /** As `Realtime`, but counts only while it is connected. */
  PassiveRealtime: 2,
  /** As `Push`, but counts only while it is connected. */
  PassivePush: 3,
  /** HTTP only, reads. */
  ReadOnlyPull: 4,
  /** Socket or HTTP, reads. */
  ReadOnlyRealtime: 5,
} as const;
export type ReplicaType = (typeof ReplicaType)[keyof typeof ReplicaType];

/** Whether `value` is the number of a replica type. */
export const isReplicaType = (value: unknown): value is ReplicaType =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 5;

/** Whether a replica of this type may open a socket. */
export const mayUseSocket = (type: ReplicaType): boolean =>
  type === ReplicaType.Realtime ||
  type === ReplicaType.PassiveRealtime ||
  type === ReplicaType.ReadOnlyRealtime;

/** Whether a replica of this type may write. */
export const mayWrite = (type: ReplicaType): boolean =>
  type !== ReplicaType.ReadOnlyPull && type !== ReplicaType.ReadOnlyRealtime;

/** Whether others wait for a replica of this type while it is away. */
export const countsWhileAway = (type: ReplicaType): boolean =>
  type === ReplicaType.Realtime || type === ReplicaType.Push;
