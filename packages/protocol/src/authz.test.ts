import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authzGrants, authzKeyFor, isAuthzWellFormed, ORIGINATOR_SUBJECT } from './authz.js';
import type { UserId } from './ids.js';

const key = (user: string) => authzKeyFor(user as UserId);
/** As a browser writes it. */
const browserKey = (user: string) => btoa(`u:${user}:*`);

describe('an access key', () => {
  it('[PRIV-1] grants its own subject, whoever wrote it', () => {
    fc.assert(
      fc.property(fc.string(), (user) => {
        expect(key(user)).toBe(Buffer.from(`u:${user}:*`).toString('base64'));
        expect(authzGrants(key(user), user)).toBe(true);
      }),
    );
    for (const user of ['alice', 'é', 'a:b', '', ORIGINATOR_SUBJECT]) {
      expect(authzGrants(browserKey(user), user)).toBe(true);
    }
  });

  it('grants nobody else', () => {
    expect(authzGrants(key('a'), 'b')).toBe(false);
    expect(authzGrants(key('a:*'), 'a')).toBe(false);
    expect(authzGrants(key('a'), 'a:*')).toBe(false);
    expect(authzGrants(key(ORIGINATOR_SUBJECT), 'a')).toBe(false);
    expect(authzGrants(btoa('g:a:*'), 'a')).toBe(false);
    expect(authzGrants(btoa('u:a:r'), 'a')).toBe(false);
    expect(authzGrants('not base64!', 'a')).toBe(false);
    expect(authzGrants('', '')).toBe(false);
  });

  it('is well formed or not', () => {
    expect(isAuthzWellFormed(key('a:b')) && isAuthzWellFormed(browserKey('é'))).toBe(true);
    for (const bad of [
      btoa('u::*'),
      btoa('u:a'),
      btoa('u:*'),
      btoa('x:a:*'),
      'u:a:*',
      '',
      5,
      null,
      undefined,
    ]) {
      expect(isAuthzWellFormed(bad)).toBe(false);
    }
  });
});
