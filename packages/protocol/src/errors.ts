/**
 * The codes of the wire's error body. A client reads nothing else of it: on `TokenExpired` it fetches a fresh
 * token and tries again, on any other code of a 4xx status it stops polling, and a 5xx it retries.
 */
export const VerdantErrorCode = {
  /** The message or request has a wrong shape. */
  InvalidRequest: 4000,
  /** A request came without a body. */
  BodyRequired: 4001,
  /** A request came without a token. */
  NoToken: 4010,
  /** The token could never have been ours: malformed, wrong algorithm, missing claims. */
  InvalidToken: 4011,
  /** Anything that a fresh token may cure: expired, signed with a rotated key, revoked. */
  TokenExpired: 4012,
  /** The token is good, but does not allow this. */
  Forbidden: 4030,
  /** No such file or route. */
  NotFound: 4040,
  /** An upload does not say how long it is. */
  LengthRequired: 4110,
  /** A body, message or file is over a limit. */
  TooLarge: 4130,
  /** A fault of the server. */
  Unexpected: 5000,
  /** The server is set up wrongly. */
  Configuration: 5010,
  /** The server was set up without a file storage. */
  NoFileStorage: 5011,
  /** Not now: overload, draining, a rate limit. */
  Busy: 5030,
  /** An operation is dated too far ahead of the server's clock; it is welcome when its time has come. */
  ClockAhead: 5031,
} as const;
export type VerdantErrorCode = (typeof VerdantErrorCode)[keyof typeof VerdantErrorCode];

/** What an error may carry besides its code and sentence. */
export interface VerdantErrorOptions {
  /** The error beneath; for the server's log only, never sent. */
  cause?: unknown;
  /** Seconds after which the caller may try again: the `Retry-After` header. */
  retryAfter?: number;
}

/** A refusal or failure that the wire has a code for. `message` is sent to the client: no content, no secrets. */
export class VerdantError extends Error {
  override readonly name = 'VerdantError';
  readonly code: VerdantErrorCode;
  /** The HTTP status that goes with the code. */
  readonly status: number;
  /** Seconds; undefined where the caller need not wait. */
  readonly retryAfter: number | undefined;

  constructor(code: VerdantErrorCode, message: string, options: VerdantErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.status = Math.floor(code / 10);
    this.retryAfter = options.retryAfter;
  }

  /** The error body as the client expects it. */
  toJSON(): { code: number; message: string } {
    return { code: this.code, message: this.message };
  }
}
