import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/** Whatever was thrown, as something that can be told to a client. */
export const asVerdantError = (error: unknown): VerdantError =>
  error instanceof VerdantError
    ? error
    : new VerdantError(VerdantErrorCode.Unexpected, 'The server failed to handle this; it has logged why.', {
        cause: error,
      });
