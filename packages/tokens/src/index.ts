export { TokenProvider, type TokenProviderOptions, type TokenRequest } from './token-provider.js';
export { checkTokenSecret, type TokenLog } from './token-secret.js';
export { TokenVerifier, type TokenVerifierOptions, type VerifiedToken } from './token-verifier.js';
