import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/**
 * Whatever was thrown, as something that can be told to a client. How the server is set up, and where its files are, is
 * for its log.
 */
export const asVerdantError = (error: unknown): VerdantError =>
  error instanceof VerdantError && error.code !== VerdantErrorCode.Configuration
    ? error
    : new VerdantError(VerdantErrorCode.Unexpected, 'The server failed to handle this; it has logged why.', {
        cause: error,
      });
