import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { Context, MiddlewareHandler } from 'hono';
import { type AllowedOrigins, originCheck } from './allowed-origins.js';

/** Options of {@link credentialedCors}. */
export interface CredentialedCorsOptions {
  /**
   * Which web pages may read the answers, by their origin. Required: browsers send your users' cookies along, so that a page
   * which may read the answers of a route that knows users by their cookies, such as the one that issues tokens, has all
   * that your users have.
   */
  allowedOrigins: AllowedOrigins;
}

/**
 * Cross-origin headers as the Verdant client needs them: it sends credentials with every request, so a wildcard will
 * not do, and it has to read error bodies, so they are on every answer. `createHttpRouter` has this built in; it is for
 * the rest of an app, such as the route that issues tokens.
 *
 * @throws {VerdantError} Configuration (5010) where `allowedOrigins` is missing, or holds what no browser sends.
 *
 * @example
 * ```ts
 * const app = new Hono()
 *   .use('/auth/*', credentialedCors({ allowedOrigins: ['https://app.example.com'] }))
 *   .route('/verdant', createHttpRouter(core));
 * ```
 */
export const credentialedCors = (options: CredentialedCorsOptions): MiddlewareHandler => {
  const isAllowed = originCheck(options?.allowedOrigins ?? undeclared());
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

const undeclared = (): never => {
  throw new VerdantError(
    VerdantErrorCode.Configuration,
    "credentialedCors needs allowedOrigins: the pages of your app, such as ['https://app.example.com']. Browsers send cookies " +
      'along, so a page that may read the answers can get a token of whoever opens it.',
  );
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
