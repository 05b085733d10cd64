declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The unit of sync, storage and eviction. Chosen by the app; any non-empty string. */
export type LibraryId = Branded<'LibraryId'>;
/** Who holds the token: its `sub` claim. */
export type UserId = Branded<'UserId'>;
/** One device's copy of a library. Chosen by the client; belongs to one user for ever. */
export type ReplicaId = Branded<'ReplicaId'>;
/** Object id: `collection/documentKey`, or `collection/documentKey:random` for a nested object. */
export type Oid = Branded<'Oid'>;
/** A hybrid logical clock's time: 24 characters that sort bytewise in time order. See {@link isTimestamp}. */
export type Timestamp = Branded<'Timestamp'>;
/** The key that says who may see a document: base64 of `u:<userId>:*`. */
export type AuthzKey = Branded<'AuthzKey'>;
/** A library's own counter over the operations that it accepted: 1, 2, 3 … */
export type ServerOrder = number;

/** The author of what the server writes itself: no device may call itself so. */
export const SERVER_REPLICA_ID = 'server' as ReplicaId;
