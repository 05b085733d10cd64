import type { Log, Verdant } from '@verdant-web/core';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import { type Context, Hono } from 'hono';
import { baseRoutePath, matchedRoutes } from 'hono/route';
import { type AllowedOrigins, originCheck } from './allowed-origins.js';
import { bearerToken } from './bearer-token.js';
import { allowCrossOrigin, preflightAnswer } from './cors.js';
import { errorAnswer, logRefusedToken } from './error-answer.js';
import { fileInfoAnswer, uploadAnswer } from './file-answer.js';
import { readText } from './request-body.js';
import { requestLog } from './request-log.js';
import { type Route, routeOf } from './route.js';
import { syncAnswer } from './sync-answer.js';

/** Options of {@link createHttpRouter}. */
export interface HttpRouterOptions {
  /**
   * Which web pages may read the answers, by their origin. Default: all. What protects a library is the token in the
   * request, which another page does not have.
   */
  allowedOrigins?: AllowedOrigins;
  /**
   * The head of a sync answer leaves after this long, in ms, even where the answer takes longer. Default 1,500: a
   * client that waits for over 3 s stops polling.
   */
  headWithinMs?: number;
}

/**
 * Everything of Verdant sync that is plain HTTP, to be mounted in your Hono app at the path that your tokens name as
 * their `syncEndpoint`: polling, and upload of and information on files. Sockets come in through the runtime's adapter,
 * such as `createNodeWebsocketHandler`.
 *
 * @throws {VerdantError} Configuration (5010) where `allowedOrigins` holds what no browser sends.
 *
 * @example
 * ```ts
 * const app = new Hono().route('/verdant', createHttpRouter(core));
 * ```
 */
export function createHttpRouter(core: Verdant, options: HttpRouterOptions = {}): Hono {
  const router = new Hono();
  const isAllowed = originCheck(options.allowedOrigins);

  // One handler for all paths, so that not only what it serves but also what it refuses gets the cross-origin headers.
  router.all('*', async (c, next) => {
    const mountPath = baseRoutePath(c);
    const route = routeOf(c.req.path, mountPath);
    if (route.to === 'nothing' && isForOthers(c, mountPath)) return next();
    allowCrossOrigin(c, isAllowed);
    if (c.req.method === 'OPTIONS') return preflightAnswer(c);
    const started = Date.now();
    const log = requestLog(c, core.log);
    const answered = await answer(c, { core, log }, route, options).catch((error: unknown) =>
      errorAnswer(c, error, log),
    );
    log.debug?.(
      { method: c.req.method, route: route.to, status: answered.status, ms: Date.now() - started },
      'A request is answered.',
    );
    return answered;
  });

  // Reached only where the router is the whole app.
  router.notFound((c) => {
    allowCrossOrigin(c, isAllowed);
    return c.req.method === 'OPTIONS' ? preflightAnswer(c) : errorAnswer(c, notFound(c), core.log);
  });
  return router;
}

/** Mounted at the root, or with routes of the app below its path, the router answers only what is its own. */
const isForOthers = (c: Context, mountPath: string): boolean =>
  mountPath === '/' || matchedRoutes(c).length > c.req.routeIndex + 1;

/** The service, and the log of the request at hand. */
interface Call {
  core: Verdant;
  log: Log;
}

const answer = async (
  c: Context,
  call: Call,
  route: Route,
  options: HttpRouterOptions,
): Promise<Response> => {
  const method = c.req.method === 'HEAD' ? 'GET' : c.req.method;
  if (route.to === 'sync' && method === 'POST') return sync(c, call, options);
  if (route.to === 'file' && method === 'POST')
    return uploadAnswer(c, call, await authenticate(c, call), route.fileId);
  if (route.to === 'file' && method === 'GET')
    return fileInfoAnswer(c, call.core, await authenticate(c, call), route.fileId);
  throw notFound(c);
};

const sync = async (
  c: Context,
  call: Call,
  { headWithinMs = 1_500 }: HttpRouterOptions,
): Promise<Response> => {
  const { core, log } = call;
  const token = await authenticate(c, call);
  const intake = core.intake(token);
  try {
    const text = await readText(c.req.raw, core.limits.maxMessageBytes, intake);
    const answer = core.request(token, text, { log }).finally(() => intake.done());
    return await syncAnswer(c, answer, { headWithinMs, log });
  } catch (error) {
    intake.done();
    throw error;
  }
};

const authenticate = (c: Context, { core, log }: Call): Promise<VerifiedToken> =>
  core.authenticate(bearerToken(c.req.header('authorization'))).catch((error: unknown) => {
    logRefusedToken(log, error);
    throw error;
  });

const notFound = (c: Context) =>
  new VerdantError(
    VerdantErrorCode.NotFound,
    `There is nothing at this path for ${c.req.method.slice(0, 20)}.`,
  );
