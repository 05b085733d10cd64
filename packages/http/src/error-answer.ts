import type { Log } from '@verdant-web/core';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** Answers a request with what went wrong, in the form that the client reads. */
export const errorAnswer = (c: Context, error: unknown, log: Log): Response => {
  const refusal = refusalOf(error, log);
  if (refusal.status === 503) c.header('Retry-After', String(retryAfterSeconds(refusal)));
  return c.json(refusal.toJSON(), refusal.status as ContentfulStatusCode);
};

/** The error as a client may see it. A fault of ours is logged in full, and reaches the client without its particulars. */
export const refusalOf = (error: unknown, log: Log): VerdantError => {
  if (error instanceof VerdantError && error.code !== VerdantErrorCode.Unexpected) return error;
  log.error?.({ err: error }, 'A request failed.');
  return new VerdantError(VerdantErrorCode.Unexpected, 'Something went wrong on the server.');
};

/** Tells that a request came without a token that opens anything: its answer is seen by a client alone. */
export const logRefusedToken = (log: Log, error: unknown): void => {
  if (error instanceof VerdantError && error.code !== VerdantErrorCode.Unexpected) {
    log.info?.({ code: error.code, reason: error.message }, 'A token is refused.');
  }
};

/** Whole seconds, at least one: a client that came back at once would be told the same. */
export const retryAfterSeconds = ({ retryAfter = 5 }: VerdantError): number =>
  Math.max(1, Math.ceil(retryAfter));
