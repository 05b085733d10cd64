import { VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test, vi } from 'vitest';
import { checkTokenSecret } from './token-secret.js';

const strong = 's'.repeat(32);

describe('checkTokenSecret', () => {
  test('gives back one secret as a list of one', () => {
    expect(checkTokenSecret(strong)).toEqual([{ secret: strong }]);
  });

  test('keeps several in order', () => {
    expect(checkTokenSecret([`${strong}-new`, strong])).toEqual([
      { secret: `${strong}-new` },
      { secret: strong },
    ]);
  });

  test.each([
    ['undefined, as an unset environment variable', undefined],
    ['empty', ''],
    ['15 bytes', 's'.repeat(15)],
    ['an empty list', []],
    ['a list with a short one in it', [strong, 'short']],
    ['a list with a hole', [strong, undefined]],
    ['a number', 1234567890123456],
  ])('refuses %s, and says what to do', (_name, secret) => {
    expect(() => checkTokenSecret(secret as string)).toThrow(
      expect.objectContaining({
        code: VerdantErrorCode.Configuration,
        message: expect.stringMatching(/token secret .*openssl rand -base64 48.*TOKEN_SECRET/),
      }),
    );
  });

  test('keeps ids, beside secrets without one', () => {
    const named = { id: '2026-01', secret: `${strong}-new` };
    expect(checkTokenSecret([named, strong])).toEqual([named, { secret: strong }]);
    expect(checkTokenSecret(named)).toEqual([named]);
  });

  test.each([
    [
      'two with one id',
      [
        { id: 'a', secret: strong },
        { id: 'a', secret: `${strong}2` },
      ],
      /same id/,
    ],
    ['an empty id', { id: '', secret: strong }, /id of a token secret/],
    ['a long id', { id: 'x'.repeat(201), secret: strong }, /id of a token secret/],
    ['no id', { secret: strong }, /id of a token secret/],
    ['an id with no secret, as of an unset variable', { id: 'a', secret: undefined }, /missing/],
    ['an id with a short secret', [{ id: 'a', secret: 'short' }], /too short/],
  ])('refuses %s', (_name, secret, message) => {
    expect(() => checkTokenSecret(secret as unknown as string)).toThrow(
      expect.objectContaining({
        code: VerdantErrorCode.Configuration,
        message: expect.stringMatching(message),
      }),
    );
  });

  test('never repeats the secret', () => {
    expect(() => checkTokenSecret('hunter2')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    );
  });

  test('counts bytes, not characters', () => {
    const log = vi.fn();
    checkTokenSecret('é'.repeat(16), log);
    expect(log).not.toHaveBeenCalled();
    expect(() => checkTokenSecret('é'.repeat(7))).toThrow();
  });

  test('warns of one that is shorter than the hash, without the secret', () => {
    const log = vi.fn();
    const secret = 'only-twenty-bytes-xx';
    expect(checkTokenSecret(secret, log)).toEqual([{ secret }]);
    expect(log).toHaveBeenCalledExactlyOnceWith('warn', expect.stringContaining('shorter than 32 bytes'), {});
    expect(JSON.stringify(log.mock.calls)).not.toContain(secret);
  });

  test('says nothing of a strong one', () => {
    const log = vi.fn();
    checkTokenSecret(strong, log);
    expect(log).not.toHaveBeenCalled();
  });
});
