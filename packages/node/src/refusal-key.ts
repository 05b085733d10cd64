import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { VerifiedToken } from '@verdant-web/tokens';
import { tokenOf } from './upgrade-request.js';

/**
 * Who is to wait longer when refused again, and for what.
 *
 * An address alone would do for one user at home; behind an office's address there are many, who must not wait for each
 * other. So a known user is told from the next by library and id, and tokens that have ended by themselves: after one
 * refresh an honest client comes with another, and begins afresh.
 */
export const refusalKey = (request: IncomingMessage, error: VerdantError, token?: VerifiedToken): string => {
  const address = request.socket.remoteAddress ?? 'unknown';
  return ['upgrade', address, error.code, who(request, error, token)].join(' ');
};

const who = (request: IncomingMessage, error: VerdantError, token?: VerifiedToken): string => {
  if (token) return digest(JSON.stringify([token.libraryId, token.userId]));
  return error.code === VerdantErrorCode.TokenExpired ? digest(tokenOf(request) ?? '') : '';
};

/** Keys stay in memory for minutes: short, and nothing in them that opens anything. */
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 16);
