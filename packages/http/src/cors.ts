import type { Context, MiddlewareHandler } from 'hono';
import { type AllowedOrigins, originCheck } from './allowed-origins.js';

/** Options of {@link credentialedCors}. */
export interface CredentialedCorsOptions {
  /**
   * Which web pages may read the answers, by their origin. Default: all. What protects a library is the token in the
   * request, which another page does not have.
   */
  allowedOrigins?: AllowedOrigins;
}

/**
 * Cross-origin headers as the Verdant client needs them: it sends credentials with every request, so a wildcard will
 * not do, and it has to read error bodies, so they are on every answer. `createHttpRouter` has this built in; it is for
 * the rest of an app, such as the route that issues tokens.
 *
 * @throws {VerdantError} Configuration (5010) where `allowedOrigins` holds what no browser sends.
 *
 * @example
 * ```ts
 * const app = new Hono().use(credentialedCors()).route('/verdant', createHttpRouter(core));
 * ```
 */
export const credentialedCors = (options: CredentialedCorsOptions = {}): MiddlewareHandler => {
  const isAllowed = originCheck(options.allowedOrigins);
  return async (c, next) => {
    allowCrossOrigin(c, isAllowed);
    if (c.req.method === 'OPTIONS') return preflightAnswer(c);
    await next();
    // A handler that answers with a `Response` of its own does not take over what was prepared.
    if (!c.res.headers.has(CREDENTIALS)) allowCrossOrigin(c, isAllowed);
  };
};

/**
 * Puts the headers on whatever this context answers. Called before there is an answer: they are then merged into it
 * without making it anew, and replace what a middleware around the router set, rather than doubling it.
 */
export const allowCrossOrigin = (c: Context, isAllowed: (origin: string) => boolean): void => {
  const origin = c.req.header('origin');
  if (origin !== undefined && isAllowed(origin)) c.header('Access-Control-Allow-Origin', origin);
  c.header(CREDENTIALS, 'true');
  c.header('Access-Control-Expose-Headers', EXPOSED);
  c.header('Vary', 'Origin');
};

/** Answers an `OPTIONS` request, to whoever asks: browsers send no token with it. */
export const preflightAnswer = (c: Context): Response => {
  c.header('Access-Control-Allow-Methods', 'GET, HEAD, POST, OPTIONS');
  c.header('Access-Control-Allow-Headers', allowedHeaders(c.req.header('access-control-request-headers')));
  c.header('Access-Control-Max-Age', '86400');
  return c.body(null, 204);
};

const EXPOSED = 'Retry-After, X-Request-Id, Content-Disposition, Content-Range, ETag';
const CREDENTIALS = 'Access-Control-Allow-Credentials';

/** What the client sends, and what an app's own wrapper of `fetch` may add, such as headers for tracing. */
const allowedHeaders = (requested = ''): string => {
  const names = new Map([
    ['authorization', 'Authorization'],
    ['content-type', 'Content-Type'],
  ]);
  for (const name of requested.split(',').map((part) => part.trim())) {
    if (/^[\w!#$%&'*+.^`|~-]{1,100}$/.test(name) && names.size < 50) names.set(name.toLowerCase(), name);
  }
  return [...names.values()].join(', ');
};
