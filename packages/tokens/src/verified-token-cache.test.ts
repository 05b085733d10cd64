import type { LibraryId, UserId } from '@verdant-web/protocol';
import { describe, expect, test } from 'vitest';
import type { VerifiedToken } from './verified-token.js';
import { VerifiedTokenCache } from './verified-token-cache.js';

const verified = (userId: string): VerifiedToken => ({
  userId: userId as UserId,
  libraryId: 'lib' as LibraryId,
  syncEndpoint: 'http://localhost/verdant',
  fileEndpoint: 'http://localhost/verdant/files',
  type: 0,
  role: undefined,
  expiresAt: 100,
});

const cacheOf = (capacity: number) => {
  const clock = { now: 0 };
  return { clock, cache: new VerifiedTokenCache(capacity, () => clock.now) };
};

describe('VerifiedTokenCache', () => {
  test('gives a token back for as long as it is good', () => {
    const { cache, clock } = cacheOf(10);
    const one = verified('u1');
    cache.add('one', one, 100);
    clock.now = 99;
    expect(cache.get('one')).toBe(one);
    clock.now = 100;
    expect(cache.get('one')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  test('forgets the one that was used least recently', () => {
    const { cache } = cacheOf(2);
    cache.add('one', verified('u1'), 100);
    cache.add('two', verified('u2'), 100);
    cache.get('one');
    cache.add('three', verified('u3'), 100);
    expect(cache.get('two')).toBeUndefined();
    expect(cache.get('one')?.userId).toBe('u1');
    expect(cache.get('three')?.userId).toBe('u3');
  });

  test('stays within its capacity', () => {
    const { cache } = cacheOf(50);
    for (let index = 0; index < 1000; index++) cache.add(`token${index % 300}`, verified('u'), 100);
    expect(cache.size).toBe(50);
  });
});
