export { type AllowedOrigins, originCheck } from './allowed-origins.js';
export { bearerToken } from './bearer-token.js';
export { allowCrossOrigin, type CredentialedCorsOptions, credentialedCors, preflightAnswer } from './cors.js';
export { errorAnswer, refusalOf, retryAfterSeconds } from './error-answer.js';
export { requestIdOf } from './request-id.js';
export { createHttpRouter, type HttpRouterOptions } from './router.js';
export { type FileSource, type ServeFilesOptions, serveFiles } from './serve-files.js';
