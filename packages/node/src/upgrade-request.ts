import type { IncomingMessage } from 'node:http';

/** Whether the request is for `path`, or for a path that differs from it by slashes at the end only. */
export const isForPath = (request: IncomingMessage, path: string): boolean =>
  withoutEnd(targetOf(request).path) === withoutEnd(path);

/**
 * The access token of an upgrade request: browsers cannot set headers on one, so it comes as the second of two
 * sub-protocols, `Bearer` and the token, or as the query parameter `token`.
 */
export const tokenOf = (request: IncomingMessage): string | undefined => {
  const [scheme, token] = (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((part) => part.trim());
  if (scheme === 'Bearer' && token) return token;
  return new URLSearchParams(targetOf(request).query).get('token') ?? undefined;
};

/** The origin of the page that asks; undefined: it is no page, or does not say. */
export const originOf = ({ headers }: IncomingMessage): string | undefined => {
  // As version 8 of the protocol, which is still accepted, named it.
  const earlier = headers['sec-websocket-origin'];
  return headers.origin ?? (Array.isArray(earlier) ? earlier[0] : earlier);
};

/**
 * What is wrong with the request as a WebSocket handshake; undefined: nothing. Asked before anything else is done for
 * it: other protocols upgrade too, and a server with an `upgrade` listener is handed them all.
 */
export const handshakeProblem = ({ method, headers }: IncomingMessage): string | undefined => {
  if (method !== 'GET') return 'its method is not GET';
  if (headers.upgrade?.toLowerCase() !== 'websocket') return 'it upgrades to something else';
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? ''))
    return 'its Sec-WebSocket-Key is no key';
  if (!['13', '8'].includes(headers['sec-websocket-version'] ?? ''))
    return 'its Sec-WebSocket-Version is not 13';
  return undefined;
};

/** Some proxies ask for an absolute URL. Split by hand: `new URL` throws on what clients may send. */
const targetOf = ({ url = '/' }: IncomingMessage) => {
  const [, path = '/', query = ''] = url.match(/^(?:https?:\/\/[^/?]*)?([^?]*)\??(.*)$/is) ?? [];
  return { path, query };
};

/** Counted: a pattern that is anchored at the end alone tries each slash of a path anew. */
const withoutEnd = (path: string): string => {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end) || '/';
};
