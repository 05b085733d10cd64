import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { SECRET } from '../server-process.js';

/** What a token says. */
export interface TokenContent {
  base: string;
  library: string;
  user: string;
}

/** A token of a replica of the usual type, as an app would issue it. */
export const signToken = ({ base, library, user }: TokenContent): Promise<string> =>
  new SignJWT({ lib: library, url: urlOf(base), type: 0 })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    // No two are the same.
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('1d')
    .sign(new TextEncoder().encode(SECRET));

/** Where sync is, over HTTP. */
export const urlOf = (base: string): string => `${base}/verdant`;
