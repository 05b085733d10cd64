import type { Log } from '@verdant-web/core';
import type { Context } from 'hono';
import { requestIdOf } from './request-id.js';

/** The log of one request. Its id is in each line, and on the answer, for whoever has to ask about it. */
export const requestLog = (c: Context, log: Log): Log => {
  const requestId = requestIdOf(c.req.header('x-request-id'));
  c.header('X-Request-Id', requestId);
  return log.with({ requestId });
};
