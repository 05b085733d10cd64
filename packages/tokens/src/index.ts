export type { AccessClaims } from './token-claims.js';
export type { TokenLog } from './token-log.js';
export { TokenProvider, type TokenProviderOptions, type TokenRequest } from './token-provider.js';
export type { NamedSecret, TokenSecrets } from './token-secret.js';
export { TokenVerifier } from './token-verifier.js';
export type { VerifiedToken } from './verified-token.js';
export type { OwnVerificationOptions, SignedTokenOptions, TokenVerifierOptions } from './verifier-options.js';
