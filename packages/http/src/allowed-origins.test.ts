import { VerdantErrorCode } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { originCheck } from './allowed-origins.js';

test('without a list every origin is allowed', () => {
  expect(originCheck(undefined)('https://anywhere.test')).toBe(true);
});

test('of a list those in it are, and only those', () => {
  const isAllowed = originCheck([
    'https://app.test',
    'http://localhost:5173',
    'capacitor://localhost',
    'null',
  ]);
  for (const origin of ['https://app.test', 'http://localhost:5173', 'capacitor://localhost', 'null']) {
    expect([origin, isAllowed(origin)]).toEqual([origin, true]);
  }
  for (const origin of [
    'http://app.test',
    'https://app.test:8443',
    'https://app.test.evil.test',
    'https://evil.test/https://app.test',
    'https://sub.app.test',
    'HTTPS://APP.TEST',
    '',
  ]) {
    expect([origin, isAllowed(origin)]).toEqual([origin, false]);
  }
});

test('an empty list allows none', () => {
  expect(originCheck([])('https://app.test')).toBe(false);
});

test('a function decides', () => {
  const isAllowed = originCheck((origin) => origin.endsWith('.app.test'));
  expect([isAllowed('https://a.app.test'), isAllowed('https://a.evil.test')]).toEqual([true, false]);
});

test.each([
  'https://app.test',
  ['https://app.test/'],
  ['https://app.test/path'],
  ['https://app.test:443'],
  ['https://APP.test'],
  ['https://*.app.test'],
  ['*'],
  ['app.test'],
  ['https://user@app.test'],
  [' https://app.test'],
  [''],
  [undefined],
  [7],
  {},
  null,
])('no browser sends %j: it is refused at start', (allowed) => {
  expect(() => originCheck(allowed as never)).toThrow(
    expect.objectContaining({
      code: VerdantErrorCode.Configuration,
      message: expect.stringContaining("'https://app.example.com'"),
    }),
  );
});
