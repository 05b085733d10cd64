import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';

/** A token that was, or may have been, ours: the client fetches a fresh one and tries again. */
export const curable = (reason: string, cause?: unknown): VerdantError =>
  new VerdantError(
    VerdantErrorCode.TokenExpired,
    `This access token is not good any more. ${reason}. Fetch a fresh one.`,
    { cause },
  );

/** A token that could never have been ours: the client stops. */
export const invalid = (reason: string, cause?: unknown): VerdantError =>
  new VerdantError(VerdantErrorCode.InvalidToken, `This is no access token of this server: ${reason}.`, {
    cause,
  });

/**
 * What an error of jose means for the client; any other error as it is, for it is not the token's fault. Told by its
 * `code`: an app may bring a jose of its own.
 */
export const refusalOf = (error: unknown): unknown => {
  const { code, claim, reason } = (error ?? {}) as { code?: unknown; claim?: unknown; reason?: unknown };
  switch (code) {
    case 'ERR_JWT_EXPIRED':
      return curable('It has ended', error);
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return curable('Its signature matches none of the keys; they may have been replaced', error);
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return claim === 'nbf' && reason === 'check_failed'
        ? curable('It is not valid yet', error)
        : invalid('its claims are not those that are asked for', error);
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
    case 'ERR_JOSE_NOT_SUPPORTED':
    case 'ERR_JWS_INVALID':
    case 'ERR_JWT_INVALID':
      return invalid('it is malformed or of a kind that is not accepted', error);
    default:
      return error;
  }
};
