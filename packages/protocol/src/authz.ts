import type { AuthzKey, UserId } from './ids.js';

/** The subject of a key that was written before its author was known; it means whoever syncs it. */
export const ORIGINATOR_SUBJECT = '$$_originator_$$';

/** The key of documents that only this user may see. */
export const authzKeyFor = (userId: UserId): AuthzKey => btoa(utf8Bytes(textFor(userId))) as AuthzKey;

/**
 * Whether a key is that of `subject`: a user id, or {@link ORIGINATOR_SUBJECT}. Servers write a key's text in UTF-8,
 * browsers in Latin-1, and nothing in it says which; so a key is read both ways.
 */
export function authzGrants(authz: string, subject: string): boolean {
  const bytes = decodeBase64(authz);
  if (bytes === null) return false;
  const text = textFor(subject);
  return bytes === text || bytes === utf8Bytes(text);
}

/** Whether `authz` has the shape of a key: base64 of `u:<some user id>:*`. */
export function isAuthzWellFormed(authz: unknown): authz is string {
  const text = typeof authz === 'string' ? decodeBase64(authz) : null;
  return text !== null && text.length > 4 && text.startsWith('u:') && text.endsWith(':*');
}

const textFor = (subject: string): string => `u:${subject}:*`;

/** The UTF-8 bytes of a text, one character each. */
function utf8Bytes(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

/** The bytes of a base64 text, one character each. */
function decodeBase64(text: string): string | null {
  try {
    return atob(text);
  } catch {
    return null;
  }
}
