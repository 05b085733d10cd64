import { constants } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Log, Verdant } from '@verdant-web/core';
import { type AllowedOrigins, originCheck, refusalOf, requestIdOf } from '@verdant-web/http';
import { mayUseSocket, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import { WebSocketServer } from 'ws';
import { HeldWebSocket } from './held-websocket.js';
import { Liveness } from './liveness.js';
import { OpenSockets } from './open-sockets.js';
import { refusalKey } from './refusal-key.js';
import { refuseUpgrade } from './refused-upgrade.js';
import { runSocket } from './socket-events.js';
import { handshakeProblem, isForPath, originOf, tokenOf } from './upgrade-request.js';
import { WebSocketTransport } from './websocket-transport.js';

/** Options of {@link createNodeWebsocketHandler}. */
export interface NodeWebsocketOptions {
  /**
   * Take only upgrades of this path, as in `/verdant`, and leave others to other listeners of the server.
   * Default: take all.
   */
  path?: string;
  /**
   * With `path`: what becomes of upgrades of other paths. `'ignore'` leaves them to other listeners; where there are
   * none, such a socket stays open without an answer. `'refuse'` answers 404. Default `'ignore'`.
   */
  otherPaths?: 'ignore' | 'refuse';
  /**
   * Which web pages may open sockets, by their origin; others get 403. Default: all, for what protects a library is the
   * token, which another page does not have. Who sends no origin, as everything but browsers, is let in: such a client
   * could send any.
   */
  allowedOrigins?: AllowedOrigins;
  /** Each socket is pinged this often, in ms, and cut off when it has missed two pongs. Default 30,000. */
  pingIntervalMs?: number;
  /** How long the other side may take to agree to a close, in ms, before it is cut off. Default 5,000. */
  closeTimeoutMs?: number;
}

/** A listener for a server's `upgrade` event. */
export interface NodeWebsocketHandler {
  (request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Closes what is still open, upgrades that are held before they are refused included, and takes no more. Resolves
   * when all is closed; what is not after `timeoutMs` is cut off. `closeGracefully` calls it.
   */
  close(timeoutMs?: number): Promise<void>;
}

/**
 * Takes sockets into the sync service, as a listener for the `upgrade` event of a Node HTTP server.
 *
 * @throws {VerdantError} Configuration (5010) where `allowedOrigins` holds what no browser sends.
 *
 * @example
 * ```ts
 * const server = serve({ fetch: app.fetch, port });
 * server.addListener('upgrade', createNodeWebsocketHandler(core));
 * ```
 */
export function createNodeWebsocketHandler(
  core: Verdant,
  options: NodeWebsocketOptions = {},
): NodeWebsocketHandler {
  const { path, otherPaths = 'ignore', pingIntervalMs = 30_000, closeTimeoutMs = 5_000 } = options;
  const isAllowed = originCheck(options.allowedOrigins);
  const liveness = new Liveness(pingIntervalMs);
  const open = new OpenSockets();
  const server = createServer(core, closeTimeoutMs);

  // The log outlives the request: it must not keep it, nor an id that nobody reads.
  const logOf = ({ headers }: IncomingMessage): Log => {
    const given = headers['x-request-id'] as string | undefined;
    let requestId: string | undefined;
    return core.log.with(() => {
      requestId ??= requestIdOf(given);
      return { requestId };
    });
  };

  const refuse = ({ request, socket, log }: Upgrade, error: unknown, token?: VerifiedToken) => {
    const refusal = refusalOf(error, log);
    log.info?.(
      { code: refusal.code, reason: refusal.message, ...(token && idsOf(token)) },
      'An upgrade is refused.',
    );
    refuseUpgrade(socket, refusal, { refusals: core.refusals, key: refusalKey(request, refusal, token) });
  };

  const accept = async (upgrade: Upgrade) => {
    const { request, socket } = upgrade;
    let token: VerifiedToken | undefined;
    try {
      const problem = handshakeProblem(request);
      if (problem) throw notAHandshake(problem);
      const origin = originOf(request);
      if (origin !== undefined && !isAllowed(origin)) throw wrongOrigin();
      token = await core.authenticate(tokenOf(request));
      if (!mayUseSocket(token.type)) throw wrongType();
      if (open.isClosed) throw closing();
      // It left while its token was looked at: nobody need hear of it.
      if (socket.destroyed) return;
      connect(upgrade, token);
    } catch (error) {
      refuse(upgrade, error, token);
    }
  };

  // The engine is asked before the handshake is answered, so that its refusal can still be an HTTP status. From there
  // to the message listener nothing is awaited: clients send as soon as the socket is open.
  const connect = ({ request, socket, head, log }: Upgrade, token: VerifiedToken) => {
    const transport = new WebSocketTransport(socket);
    const session = core.connect(token, transport, { log });
    const websocket = handshake(server, { request, socket, head, log });
    if (!websocket) {
      transport.abandon();
      session.closed(false);
      return;
    }
    open.upgraded(socket, websocket);
    const watched = liveness.watch(websocket, socket, () => transport.isPaused);
    runSocket(websocket, { connection: socket, session, transport, watched, log });
  };

  server.on('wsClientError', (error, socket, request) => {
    const upgrade = { request, socket, head: Buffer.alloc(0), log: logOf(request) };
    refuse(upgrade, notAHandshake(error.message));
  });

  const handler = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const isOurs = path === undefined || isForPath(request, path);
    if (!isOurs && otherPaths === 'ignore') return;
    // From here on the socket is ours; an error on it that nobody listens for would end the process.
    const log = logOf(request);
    const upgrade = { request, socket, head, log };
    socket.on('error', (error) => log.debug?.({ err: error }, 'A socket failed.'));
    open.addRaw(socket);
    if (isOurs) void accept(upgrade);
    else refuse(upgrade, new VerdantError(VerdantErrorCode.NotFound, 'There are no sockets here.'));
  };
  return Object.assign(handler, { close: (timeoutMs = closeTimeoutMs) => open.close(timeoutMs) });
}

interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  /** With the id of the request. */
  log: Log;
}

const idsOf = ({ libraryId, userId }: VerifiedToken) => ({ libraryId, userId });

const createServer = (core: Verdant, closeTimeoutMs: number) => {
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // Answered in `runSocket`, no faster than the answers are read.
    autoPong: false,
    // `ws` takes what does not fit 31 bits for no limit at all; and a longer text could not be made into a string.
    maxPayload: Math.min(core.limits.maxMessageBytes, constants.MAX_STRING_LENGTH),
    // Browsers cut a founding sync into frames of a few KiB.
    maxFragments: 64 * 1024,
    closeTimeout: closeTimeoutMs,
    WebSocket: HeldWebSocket,
    handleProtocols: (offered: Set<string>): string | false => offered.has('Bearer') && 'Bearer',
  };
  return new WebSocketServer(options);
};

/** Answers the handshake; undefined where it was none after all, or the other side left. */
const handshake = (
  server: ReturnType<typeof createServer>,
  { request, socket, head }: Upgrade,
): HeldWebSocket | undefined => {
  let websocket: HeldWebSocket | undefined;
  // Calls back before it returns, as nothing in its options is asynchronous.
  server.handleUpgrade(request, socket, head, (upgraded) => {
    websocket = upgraded;
  });
  return websocket;
};

const wrongType = () =>
  new VerdantError(VerdantErrorCode.Forbidden, 'This access token allows no socket, only HTTP.');

const wrongOrigin = () =>
  new VerdantError(VerdantErrorCode.Forbidden, 'Pages of this origin may not open sockets here.');

const closing = () => new VerdantError(VerdantErrorCode.Busy, 'The server is closing.');

const notAHandshake = (problem: string) =>
  new VerdantError(VerdantErrorCode.InvalidRequest, `This is no WebSocket handshake: ${problem}.`);
