import { expect, test } from 'vitest';
import { readRange } from './byte-range.js';

test.each([
  ['bytes=0-0', { from: 0, to: 0 }],
  ['bytes=2-4', { from: 2, to: 4 }],
  ['bytes=2-', { from: 2, to: 9 }],
  ['bytes=2-99', { from: 2, to: 9 }],
  ['bytes=9-9', { from: 9, to: 9 }],
  ['bytes=-3', { from: 7, to: 9 }],
  ['bytes=-99', { from: 0, to: 9 }],
  ['Bytes= 1 - 2 ', { from: 1, to: 2 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=10-12', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  [undefined, null],
  ['', null],
  ['bytes=', null],
  ['bytes=-', null],
  ['bytes=4-2', null],
  ['bytes=0-1,3-4', null],
  ['bytes=a-b', null],
  ['bytes=0x1-0x2', null],
  ['items=0-1', null],
  [`bytes=${'9'.repeat(400)}-`, null],
])('%j of ten bytes', (header, range) => {
  expect(readRange(header, 10)).toEqual(range);
});

test('of an empty file there is no range', () => {
  expect(readRange('bytes=0-', 0)).toBe('unsatisfiable');
  expect(readRange('bytes=-1', 0)).toBe('unsatisfiable');
});

test('a header that was made to keep a parser busy is read at once', () => {
  // A pattern that tries each way to share the spaces out takes minutes.
  const spaces = ' '.repeat(300_000);
  for (const header of [`bytes=${spaces}x`, `bytes=1-${spaces}x`, `bytes=1${spaces}-x`]) {
    expect(readRange(header, 10)).toBeNull();
  }
});
