import type { Log, SocketSession, Verdant } from '@verdant-web/core';
import { type originCheck, refusalOf, requestIdOf, retryAfterSeconds } from '@verdant-web/http';
import { mayUseSocket, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import { heldUpgrade } from './held-upgrade.js';
import type { ObjectScheduler } from './object-scheduler.js';
import type { ObjectSocket, ObjectState } from './platform.js';
import { ObjectSocketTransport } from './socket-transport.js';
import { offersBearer, tokenOf } from './upgrade-request.js';

export interface AcceptSocketOptions {
  core: Verdant;
  state: ObjectState;
  scheduler: ObjectScheduler;
  isAllowedOrigin: ReturnType<typeof originCheck>;
  accepted(socket: ObjectSocket, transport: ObjectSocketTransport, session: SocketSession): void;
}

/** Answers a WebSocket upgrade: a refusal is an HTTP status with a JSON body, slower each time it repeats. */
export async function acceptSocket(request: Request, options: AcceptSocketOptions): Promise<Response> {
  const { core } = options;
  const requestId = requestIdOf(request.headers.get('x-request-id') ?? undefined);
  const log = core.log.with({ requestId });
  let token: VerifiedToken | undefined;
  try {
    const origin = request.headers.get('origin');
    if (origin !== null && !options.isAllowedOrigin(origin)) throw wrongOrigin();
    token = await core.authenticate(tokenOf(request));
    if (!mayUseSocket(token.type)) throw wrongType();
    return connect(request, token, log, options);
  } catch (error) {
    return refuse(request, error, log, token, options);
  }
}

/** The engine is asked before the handshake is answered, so that its refusal can still be an HTTP status. */
function connect(
  request: Request,
  token: VerifiedToken,
  log: Log,
  { core, state, accepted }: AcceptSocketOptions,
): Response {
  const [client, socket] = socketPair();
  const transport = new ObjectSocketTransport(socket);
  const session = core.connect(token, transport, { log });
  state.acceptWebSocket(socket);
  accepted(socket, transport, session);
  const headers = new Headers(offersBearer(request) ? { 'sec-websocket-protocol': 'Bearer' } : {});
  return new Response(null, { status: 101, webSocket: client, headers } as ResponseInit);
}

async function refuse(
  request: Request,
  error: unknown,
  log: Log,
  token: VerifiedToken | undefined,
  { core, scheduler }: AcceptSocketOptions,
): Promise<Response> {
  const refusal = refusalOf(error, log);
  log.info?.(
    {
      code: refusal.code,
      reason: refusal.message,
      ...(token && { libraryId: token.libraryId, userId: token.userId }),
    },
    'An upgrade is refused.',
  );
  // Nothing else happens to an object meanwhile that would have it look at the time.
  const meanwhile = () => scheduler.runDue();
  await heldUpgrade(request, refusal, core.refusals, { userId: token?.userId, meanwhile });
  const headers = new Headers();
  if (refusal.status === 503) headers.set('Retry-After', String(retryAfterSeconds(refusal)));
  return Response.json(refusal.toJSON(), { status: refusal.status, headers });
}

const socketPair = (): [client: unknown, server: ObjectSocket] => {
  const { WebSocketPair } = globalThis as unknown as { WebSocketPair: new () => Record<0 | 1, unknown> };
  const pair = new WebSocketPair();
  return [pair[0], pair[1] as ObjectSocket];
};

const wrongType = () =>
  new VerdantError(VerdantErrorCode.Forbidden, 'This access token allows no socket, only HTTP.');

const wrongOrigin = () =>
  new VerdantError(VerdantErrorCode.Forbidden, 'Pages of this origin may not open sockets here.');
