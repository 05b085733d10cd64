import type { LibraryId, ReplicaType, UserId } from '@verdant-web/protocol';

/**
 * What an access token says. The client reads `url` and `file` to learn where to connect;
 * the server trusts the rest once the signature is checked.
 */
export interface TokenClaims {
  /** The user. */
  sub: UserId;
  /** The library that the user may sync. */
  lib: LibraryId;
  /** The sync endpoint, for sockets and HTTP alike. */
  url: string;
  /** The file endpoint, where it is not `url` + `/files`. */
  file?: string;
  type: ReplicaType;
  /** The app's own word for what this user is in this library. */
  role?: string;
  /** When it was issued, in seconds of Unix time, with the milliseconds behind the point. */
  iat: number;
  /** When it ends, in seconds of Unix time. */
  exp: number;
}

/**
 * What the app's own verification resolves to. The client reads `url`, `file` and `type` out of the token itself, which has
 * to be a JWT with these claims whoever verifies it.
 */
export interface AccessClaims {
  /** The user. */
  sub: string;
  /** The library that the user may sync. */
  lib: string;
  /** The sync endpoint. */
  url: string;
  /** The file endpoint, where it is not `url` + `/files`. */
  file?: string;
  /** A `ReplicaType`, as number or text. Default: `ReplicaType.Realtime`. */
  type?: number | string;
  /** The app's own word for what this user is in this library. */
  role?: string;
  /** When it was issued, in seconds of Unix time. Without it any revocation meets it, whenever it was issued. */
  iat?: number;
  /** When it ends, in seconds of Unix time. */
  exp: number;
}

/** Longest user id and library id, in UTF-16 units: they become keys in every storage. */
export const MAX_ID_LENGTH = 1024;

/** Longest token, in characters. Beyond it headers and sub-protocols get cut off by proxies anyway. */
export const MAX_TOKEN_LENGTH = 8 * 1024;
