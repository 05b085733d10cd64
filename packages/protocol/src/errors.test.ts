import { expect, it } from 'vitest';
import { VerdantError, VerdantErrorCode } from './errors.js';

it('[HTTP-3] an error tells its HTTP status and the body that clients read', () => {
  const cause = new Error('disk');
  const error = new VerdantError(VerdantErrorCode.ClockAhead, 'try later', { cause, retryAfter: 30 });
  expect(error).toMatchObject({ name: 'VerdantError', code: 5031, status: 503, retryAfter: 30, cause });
  expect(JSON.stringify(error)).toBe('{"code":5031,"message":"try later"}');
  expect('cause' in new VerdantError(VerdantErrorCode.TokenExpired, 'expired')).toBe(false);
});
