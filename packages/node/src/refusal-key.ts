import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import { tokenOf } from './upgrade-request.js';

/**
 * Who is to wait longer when refused again, and for what.
 *
 * An address alone would do for one user at home; behind an office's address there are many, who must not wait for each
 * other. So a user is told from the next by library and id: as verified where the token is good, as claimed where it has
 * merely expired. Not by the token's text: where the issuer's clock or secret is wrong, every fresh token is refused too,
 * and a client fetches one after each refusal.
 */
export const refusalKey = (request: IncomingMessage, error: VerdantError, token?: VerifiedToken): string => {
  const address = request.socket.remoteAddress ?? 'unknown';
  return ['upgrade', address, error.code, who(request, error, token)].join(' ');
};

const who = (request: IncomingMessage, error: VerdantError, token?: VerifiedToken): string => {
  if (token) return digest([token.libraryId, token.userId]);
  return error.code === VerdantErrorCode.TokenExpired ? digest(claimedBy(tokenOf(request) ?? '')) : '';
};

/** Library and user as the token claims, which is not verified: good for no more than telling two apart. */
const claimedBy = (token: string): unknown => {
  try {
    const { lib, sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return [lib, sub];
  } catch {
    return null;
  }
};

/** Keys stay in memory for minutes: short, and nothing in them that opens anything. */
const digest = (who: unknown): string =>
  createHash('sha256').update(JSON.stringify(who)).digest('base64url').slice(0, 16);
