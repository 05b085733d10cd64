/** Whether the request asks for a WebSocket. */
export const isUpgrade = (request: Request): boolean =>
  request.headers.get('upgrade')?.toLowerCase() === 'websocket';

/**
 * The access token of an upgrade request: browsers cannot set headers on one, so it comes as the second of two
 * sub-protocols, `Bearer` and the token, or as the query parameter `token`.
 */
export const tokenOf = (request: Request): string | undefined => {
  const [scheme, token] = (request.headers.get('sec-websocket-protocol') ?? '')
    .split(',')
    .map((part) => part.trim());
  if (scheme === 'Bearer' && token) return token;
  return new URL(request.url).searchParams.get('token') ?? undefined;
};

/** Whether the client offered a sub-protocol, one of which the answer has to name. */
export const offersBearer = (request: Request): boolean =>
  (request.headers.get('sec-websocket-protocol') ?? '').split(',').some((part) => part.trim() === 'Bearer');
