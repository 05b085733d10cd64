import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusals } from '@verdant-web/core';
import { retryAfterSeconds } from '@verdant-web/http';
import type { VerdantError } from '@verdant-web/protocol';

/**
 * Refuses an upgrade: an HTTP answer that says why, then the end. A browser shows its page a failed socket either way,
 * but only a client that is answered learns that it needs another token.
 *
 * @param key Who is refused, and why: the same again has to wait longer.
 */
export const refuseUpgrade = (
  socket: Duplex,
  error: VerdantError,
  { refusals, key }: { refusals: Refusals; key: string },
): void => {
  if (socket.destroyed) return;
  // Read and thrown away while it waits: otherwise it would not show when the other side leaves.
  socket.resume();
  const letGo = refusals.hold(key, () => answerAndEnd(socket, error));
  socket.once('end', () => {
    letGo();
    socket.end();
  });
  socket.once('close', letGo);
};

const answerAndEnd = (socket: Duplex, error: VerdantError) => {
  socket.end(refusalText(error));
  // Not at once: closing while bytes still come in would reset the connection, and the answer with it.
  const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
  socket.once('close', () => clearTimeout(patience));
};

const PATIENCE_MS = 2_000;

const refusalText = (error: VerdantError): string => {
  const body = JSON.stringify(error.toJSON());
  return [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Refused'}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(error.status === 503 ? [`Retry-After: ${retryAfterSeconds(error)}`] : []),
    '',
    body,
  ].join('\r\n');
};
