import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { isForPath } from './upgrade-request.js';

const asks = (url: string) => isForPath({ url } as IncomingMessage, '/verdant');

test.each([
  ['/verdant', true],
  ['/verdant/', true],
  ['/verdant///?token=x', true],
  ['http://example.com/verdant', true],
  ['/verdantly', false],
  ['/', false],
  ['//', false],
  ['', false],
])('%s', (url, isOurs) => {
  expect(asks(url)).toBe(isOurs);
});

test('[REFUSE-3] a path that was made to keep a parser busy is read at once', () => {
  // A pattern that tries each slash anew takes minutes.
  expect(asks(`${'/'.repeat(300_000)}x`)).toBe(false);
  expect(asks(`/verdant${'/'.repeat(300_000)}`)).toBe(true);
});
