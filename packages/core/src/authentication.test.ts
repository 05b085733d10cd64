import { VerdantErrorCode } from '@verdant-web/protocol';
import { describe, expect, test, vi } from 'vitest';
import { createVerdant } from './create-verdant.js';
import { memoryStorage } from './memory.js';
import { World } from './testing/world.js';
import type { VerdantOptions } from './verdant.js';

const secret = 'a secret of the tests, long enough for anyone';
const create = (options: object) => createVerdant({ storage: memoryStorage(), ...options } as VerdantOptions);

describe('how tokens are verified is told at start', () => {
  test.each([
    [{ tokenSecret: secret }],
    [{ tokenSecret: [secret, `${secret}2`] }],
    [{ tokenSecret: { id: '2026', secret } }],
    [{ tokens: { secret } }],
    [{ tokens: { secret: [{ id: 'a', secret }], jwksUrl: 'https://id.test/jwks' } }],
    [{ tokens: { verifyToken: () => ({}) } }],
  ])('%j', async (options) => {
    await create(options).close();
  });

  test.each([
    [{}, /token secret is missing/],
    [{ tokenSecret: undefined }, /token secret is missing/],
    [{ tokenSecret: 'short' }, /too short/],
    [{ tokenSecret: secret, tokens: { secret } }, /'tokenSecret' or 'tokens', not both/],
    [{ tokens: {} }, /token secret is missing/],
    [{ tokens: null }, /'tokens' has to be an object/],
    [{ tokens: 'https://id.test/jwks' }, /'tokens' has to be an object/],
    [{ tokens: { jwksUrl: 'nonsense' } }, /jwksUrl/],
  ])('but not %j', (options, message) => {
    expect(() => create(options)).toThrow(
      expect.objectContaining({
        code: VerdantErrorCode.Configuration,
        message: expect.stringMatching(message),
      }),
    );
  });

  test('a short secret is warned of, wherever it is given', async () => {
    for (const options of [
      { tokenSecret: 'only-twenty-bytes-xx' },
      { tokens: { secret: 'only-twenty-bytes-xx' } },
    ]) {
      const log = vi.fn();
      await create({ ...options, log }).close();
      expect(log).toHaveBeenCalledExactlyOnceWith(
        'warn',
        expect.stringContaining('shorter than 32 bytes'),
        {},
      );
    }
  });
});

test('[AUTH-16] a verification that does not end is given up as 503 before a client would lose patience', async () => {
  const world = new World({ tokens: { verifyToken: () => new Promise(() => {}) } });
  const verification = world.core.authenticate('x').then(
    () => 'accepted',
    (error: { code: number; retryAfter?: number }) => [error.code, error.retryAfter],
  );
  await world.settle(2_000);
  expect(await verification).toEqual([VerdantErrorCode.Busy, 2]);
  expect(world.logged.filter(([level]) => level === 'warn')).toHaveLength(1);
});
