import {
  createLog,
  defaultLimits,
  type LogFunction,
  type Logger,
  Refusals,
  systemScheduler,
} from '@verdant-web/core';
import {
  type AllowedOrigins,
  allowCrossOrigin,
  bearerToken,
  errorAnswer,
  originCheck,
  preflightAnswer,
} from '@verdant-web/http';
import { TokenVerifier } from '@verdant-web/tokens';
import { type Context, Hono } from 'hono';
import { belowMount } from './below-mount.js';
import { bindingNameOf, bindingNamesOf, bindingOf } from './binding.js';
import { heldUpgrade } from './held-upgrade.js';
import type { ObjectNamespace } from './platform.js';
import { isUpgrade, tokenOf } from './upgrade-request.js';

/** Options of {@link createVerdantWorkerApp}. */
export interface VerdantWorkerAppOptions {
  /** The binding of the class of Durable Objects that libraries are. */
  durableObjectBindingName: string;
  /**
   * The binding of the secret that access tokens are signed with, at least 16 bytes. Several while one replaces another: tokens of
   * each are taken. Tell the objects the same secrets.
   */
  tokenSecretBindingName: string | readonly string[];
  /** Which web pages may read answers and open sockets, by their origin. Default: all. Tell the objects the same. */
  allowedOrigins?: AllowedOrigins;
  /** Receives what the worker has to say. Default: nothing is logged. */
  log?: LogFunction | Logger;
}

/**
 * Verdant sync, to be mounted in your Hono app at the path that your tokens name as their `syncEndpoint`. Verifies the
 * access token and hands the request to the Durable Object of its library: HTTP sync, sockets and files.
 *
 * @throws {VerdantError} Configuration (5010) where an option is missing. What the bindings hold is known with the first
 *   request only, which is then answered with an error that names the binding.
 *
 * @example
 * ```ts
 * const app = new Hono<{ Bindings: Env }>().route(
 *   '/verdant',
 *   createVerdantWorkerApp({ durableObjectBindingName: 'LIBRARIES', tokenSecretBindingName: 'TOKEN_SECRET' }),
 * );
 * export default app;
 * ```
 */
export function createVerdantWorkerApp(options: VerdantWorkerAppOptions): Hono {
  const namespaceName = bindingNameOf(options.durableObjectBindingName, 'durableObjectBindingName');
  const secretNames = bindingNamesOf(options.tokenSecretBindingName, 'tokenSecretBindingName');
  const isAllowed = originCheck(options.allowedOrigins);
  const log = createLog(options.log, undefined);
  const refusals = new Refusals({ scheduler: systemScheduler, maxHeld: defaultLimits.maxHeldRefusals });
  const verifiers = new Map<string, TokenVerifier>();

  const verifierFor = (secrets: string[]): TokenVerifier => {
    const key = JSON.stringify(secrets);
    const known = verifiers.get(key);
    if (known) return known;
    const verifier = new TokenVerifier({ secret: secrets });
    verifiers.set(key, verifier);
    return verifier;
  };

  const pass = async (c: Context): Promise<Response> => {
    const namespace = bindingOf<ObjectNamespace>(c.env, namespaceName, 'a Durable Object');
    const secrets = secretNames.map((name) => bindingOf<string>(c.env, name, 'a secret'));
    const token = isUpgrade(c.req.raw) ? tokenOf(c.req.raw) : bearerToken(c.req.header('authorization'));
    const { libraryId } = await verifierFor(secrets).verify(token);
    return namespace.get(namespace.idFromName(libraryId)).fetch(belowMount(c));
  };

  const app = new Hono();
  app.all('*', async (c) => {
    if (c.req.method === 'OPTIONS') {
      allowCrossOrigin(c, isAllowed);
      return preflightAnswer(c);
    }
    try {
      // The object puts the headers for other origins on its answers itself.
      return await pass(c);
    } catch (error) {
      if (isUpgrade(c.req.raw)) await heldUpgrade(c.req.raw, error, refusals);
      allowCrossOrigin(c, isAllowed);
      return errorAnswer(c, error, log);
    }
  });
  return app;
}
