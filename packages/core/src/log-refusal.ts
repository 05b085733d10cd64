import { type VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { asVerdantError } from './library/as-verdant-error.js';
import type { Log } from './log.js';

/** Tell of a refusal, as an error where the server is at fault. `message` is a constant sentence. */
export function logRefusal(log: Log, error: VerdantError, message: string): void {
  const level = error.code >= 5000 && error.code < 5030 ? 'error' : 'info';
  const { code, message: reason, cause } = error;
  log[level]?.({ code, reason, ...(cause !== undefined && { err: cause }) }, message);
}

/**
 * Do the work of a request, and tell where it is refused. Faults are told of by the transport, which answers them. Rejects
 * with what a client may be told.
 */
export async function logRefused<Result>(log: Log, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (failure) {
    const error = asVerdantError(failure);
    if (error.code !== VerdantErrorCode.Unexpected) logRefusal(log, error, 'A request is refused.');
    throw error;
  }
}
