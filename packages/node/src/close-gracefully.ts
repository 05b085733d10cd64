import type { Verdant } from '@verdant-web/core';
import type { NodeWebsocketHandler } from './websocket-handler.js';

/** A Node HTTP server, as far as it is needed: what `serve` of `@hono/node-server` returns. */
export interface ClosableServer {
  close(callback?: (error?: Error) => void): unknown;
  listeners(event: string): unknown[];
  closeIdleConnections?(): void;
  closeAllConnections?(): void;
}

/** What {@link closeGracefully} closes. */
export interface GracefulCloseOptions {
  /** The HTTP server, or several that share the core. */
  server: ClosableServer | readonly ClosableServer[];
  core: Pick<Verdant, 'close' | 'log'>;
  /** What is not done after this long is cut off, in ms. Default 10,000. */
  timeoutMs?: number;
}

/**
 * Shuts down without losing anything: takes no more connections, finishes what is under way, writes what is in memory,
 * then closes sockets and storage. Resolves when all is closed, or cut off.
 *
 * @example
 * ```ts
 * process.once('SIGTERM', () => void closeGracefully({ server, core }));
 * ```
 */
export const closeGracefully = async ({
  server,
  core,
  timeoutMs = 10_000,
}: GracefulCloseOptions): Promise<void> => {
  const servers = [server].flat() as ClosableServer[];
  const serversClosed = Promise.all(servers.map(closed));
  const coreClosed = core.close();
  const inTime = await within(
    timeoutMs,
    coreClosed.catch(() => {}),
  );
  if (!inTime)
    core.log.warn?.(
      { ms: timeoutMs },
      'Not everything was done in time before closing; the rest is cut off.',
    );

  // The core has taken leave of its sockets. Those that still wait for a refusal, or do not agree to close, are cut off;
  // answers that are on their way get a moment.
  const graceMs = inTime ? GRACE_MS : 0;
  const handlers = servers.flatMap((each) => each.listeners('upgrade')).filter(isHandler);
  const socketsClosed = Promise.all(handlers.map((handler) => handler.close(graceMs)));
  const release = setInterval(() => closeIdle(servers), 20);
  await within(graceMs, Promise.all([socketsClosed, serversClosed]));
  clearInterval(release);
  for (const each of servers) each.closeAllConnections?.();
  await within(GRACE_MS, Promise.all([socketsClosed, serversClosed]));
  // What failed is for the caller to know, but not before all is closed.
  if (inTime) await coreClosed;
};

const GRACE_MS = 1_000;

const closed = (server: ClosableServer): Promise<void> =>
  // One that was not listening says so as an error, and is as closed as can be.
  new Promise((resolve) => void server.close(() => resolve()));

const isHandler = (listener: unknown): listener is NodeWebsocketHandler =>
  typeof listener === 'function' && 'close' in listener && typeof listener.close === 'function';

/** A connection that was busy when its server closed becomes idle, and would stay so for seconds. */
const closeIdle = (servers: readonly ClosableServer[]) => {
  for (const server of servers) server.closeIdleConnections?.();
};

/** Whether it was done in that time. */
const within = async (ms: number, work: Promise<unknown>): Promise<boolean> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeUp = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), timeUp]);
  } finally {
    clearTimeout(timer);
  }
};
