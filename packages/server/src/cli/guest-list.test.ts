import { describe, expect, test } from 'vitest';
import { guestList } from './guest-list.js';

describe('a page', () => {
  const { allowsOrigin } = guestList({ host: 'localhost', origins: ['https://app.example.com'] });

  test.each([
    'http://localhost:5173',
    'https://localhost',
    'http://my-app.localhost:3000',
    'http://127.0.0.1:8080',
    'http://[::1]:8080',
    'https://app.example.com',
  ])('of this machine or named is welcome: %s', (origin) => {
    expect(allowsOrigin(origin)).toBe(true);
  });

  test.each([
    'https://evil.example',
    'http://app.example.com',
    'https://app.example.com:444',
    'https://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'https://notlocalhost',
    'http://192.168.1.5:5173',
    'null',
    '',
  ])('of elsewhere is not: %j', (origin) => {
    expect(allowsOrigin(origin)).toBe(false);
  });
});

describe('asked under the name', () => {
  const { allowsHost } = guestList({ host: 'my-machine.lan', origins: ['https://tunnel.example'] });

  test.each([
    'localhost:3242',
    '127.0.0.1',
    '[::1]:80',
    '192.168.1.5:3242',
    'MY-MACHINE.lan:3242',
    'tunnel.example',
  ])('%s it answers', (host) => {
    expect(allowsHost(host)).toBe(true);
  });

  test.each([
    'evil.example:3242',
    'tunnel.example.evil.example',
    'user@evil.example',
    'evil.example/localhost',
    '',
  ])('%j it does not: a page can make its own name point here', (host) => {
    expect(allowsHost(host)).toBe(false);
  });
});

test('an asterisk welcomes all', () => {
  const { allowsOrigin, allowsHost } = guestList({ host: 'localhost', origins: ['*'] });
  expect([allowsOrigin('https://evil.example'), allowsHost('evil.example')]).toEqual([true, true]);
});
