import { createHmac, randomUUID } from 'node:crypto';
import { SECRET } from '../server.js';

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const HASHES: Record<string, string> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

/** A JWT written by hand, so that each part of it can be wrong. */
export function jwt(claims: unknown, { secret = SECRET, alg = 'HS256', header = {} as object } = {}): string {
  const signed = `${encode({ alg, typ: 'JWT', ...header })}.${encode(claims)}`;
  const hash = HASHES[alg];
  return `${signed}.${hash ? createHmac(hash, secret).update(signed).digest('base64url') : ''}`;
}

export const seconds = () => Math.floor(Date.now() / 1000);

/** Claims of a good token. */
export const claimsFor = (base: string, library: string, user: string, more: object = {}) => ({
  sub: user,
  lib: library,
  url: `${base}/verdant`,
  type: 0,
  iat: seconds(),
  exp: seconds() + 3600,
  ...more,
});

export const tokenFor = (base: string, library: string, user: string, more: object = {}): string =>
  jwt(claimsFor(base, library, user, more));

/** An id that no other test uses. */
export const fresh = (name = 'library'): string => `${name}-${randomUUID()}`;
