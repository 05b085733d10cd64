/** How large the parts of a message may be. Lengths are in UTF-16 code units. */
export interface MessageLimits {
  maxOperationsPerMessage: number;
  maxBaselinesPerMessage: number;
  maxOidLength: number;
  /** Of a field's name in a `set` or `remove`, and of a `reason` or `nonce`. */
  maxNameLength: number;
  maxReplicaIdLength: number;
  /** Of an operation's or baseline's access key. */
  maxAuthzLength: number;
  /** Nesting of one value: 1 for an object or list of primitives, and so on. */
  maxValueDepth: number;
  /** Index of a `list-set`. Clients fill a list with holes up to it, however few items there are. */
  maxListIndex: number;
}

/**
 * Above what the founding sync of hundreds of thousands of objects needs: a client sends its whole history in one
 * message. What bounds memory is the transport's limit on the bytes of a message.
 */
export const defaultMessageLimits: Readonly<MessageLimits> = {
  maxOperationsPerMessage: 2_000_000,
  maxBaselinesPerMessage: 2_000_000,
  maxOidLength: 1024,
  maxNameLength: 1024,
  maxReplicaIdLength: 256,
  maxAuthzLength: 4096,
  maxValueDepth: 64,
  maxListIndex: 1_000_000,
};
