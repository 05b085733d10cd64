import type { Refusals } from '@verdant-web/core';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/**
 * Resolves when an upgrade that was refused with this error may be answered: at once the first time, and later each time
 * that the same one comes back, since clients do so without a pause. `meanwhile` is called every second.
 */
export const heldUpgrade = (
  request: Request,
  error: unknown,
  refusals: Refusals,
  { userId, meanwhile = () => {} }: { userId?: string | undefined; meanwhile?: () => void } = {},
): Promise<void> =>
  new Promise((resolve) => {
    const ticking = setInterval(meanwhile, 1_000);
    const address = request.headers.get('cf-connecting-ip') ?? 'unknown';
    const code = error instanceof VerdantError ? error.code : VerdantErrorCode.Unexpected;
    refusals.hold(JSON.stringify(['upgrade', address, code, userId]), () => {
      clearInterval(ticking);
      resolve();
    });
  });
