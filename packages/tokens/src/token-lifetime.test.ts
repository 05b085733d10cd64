import { describe, expect, test } from 'vitest';
import { lifetimeInSeconds } from './token-lifetime.js';

describe('lifetimeInSeconds', () => {
  test.each([
    [1, 1],
    [3600, 3600],
    ['30s', 30],
    ['15m', 900],
    ['1h', 3600],
    ['1d', 86_400],
    ['2w', 1_209_600],
  ])('%j is %d seconds', (lifetime, seconds) => {
    expect(lifetimeInSeconds(lifetime)).toBe(seconds);
  });

  test.each([
    0,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Date.now(),
    '',
    '0d',
    '-1d',
    '1.5h',
    '3600',
    '1 d',
    '1D',
    '1y',
    'd',
    '1d1h',
    '999999999999w',
    '1d\n',
  ])('%j is refused, and the message shows it', (lifetime) => {
    expect(() => lifetimeInSeconds(lifetime)).toThrow(/expiresIn must be a positive whole number/);
  });
});
