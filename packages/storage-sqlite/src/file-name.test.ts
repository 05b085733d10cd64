import type { LibraryId } from '@verdant-web/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shardNames } from './file-name.js';

const own = (id: string): string => shardNames(id as LibraryId).own;
const original = (id: string): string | null => shardNames(id as LibraryId).original;

test.each([
  ['plain', 'plain.sqlite'],
  ['c9f0-4_a.b', 'c9f0-4_a.b.sqlite'],
  ['', '%.sqlite'],
  ['.', '%2e.sqlite'],
  ['..', '%2e..sqlite'],
  ['../x', '%2e.%2fx.sqlite'],
  ['A', '%41.sqlite'],
  ['%41', '%2541.sqlite'],
  ['con', '%63on.sqlite'],
  ['con.x', '%63on.x.sqlite'],
  ['cone', 'cone.sqlite'],
  ['a\0', 'a%00.sqlite'],
  ['é', '%c3%a9.sqlite'],
  ['\ud800', '%ud800.sqlite'],
])('%j is kept in %s', (id, name) => expect(own(id)).toBe(name));

test('any id gives a plain name that stays in its directory on every file system', () => {
  fc.assert(
    fc.property(anyId, (id) => {
      const name = own(id);
      expect(name).toMatch(/^[a-z0-9_%-][a-z0-9_.%-]*\.sqlite$/);
      expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)\./);
      expect(name.length).toBeLessThanOrEqual(210);
    }),
  );
});

test('different ids have names that differ, whether or not a file system tells A from a', () => {
  fc.assert(
    fc.property(anyId, anyId, (one, other) => {
      fc.pre(one !== other);
      expect(own(one)).not.toBe(own(other));
    }),
    { numRuns: 2000 },
  );
  const long = 'x'.repeat(5000);
  const close = [
    '',
    '%',
    '%2e',
    '.',
    'A',
    'a',
    '%41',
    '\ud800',
    '%ud800',
    '\ufffd',
    'é',
    'e\u0301',
    long,
    `${long}y`,
    own(long),
  ];
  expect(new Set(close.map(own)).size).toBe(close.length);
});

test('the original’s name of an id is known where it is another one, and a file of the directory', () => {
  expect(original('plain')).toBe(null);
  expect(original('Mixed-Case')).toBe('Mixed-Case.sqlite');
  expect(original('user@example.com')).toBe('user@example.com.sqlite');
  expect(original('100%')).toBe('100%.sqlite');
  for (const id of ['../x', 'a/b', 'a\\b', 'a\0', '\ud800', 'x'.repeat(300), '%2e', '%'])
    expect(original(id)).toBe(null);
});

test('an original’s name is never one that this server gives to another library', () => {
  fc.assert(
    fc.property(anyId, anyId, (one, other) => {
      fc.pre(one !== other);
      expect(original(one)).not.toBe(own(other));
      expect(original(own(other).replace(/\.sqlite$/, ''))).toBe(null);
    }),
    { numRuns: 2000 },
  );
});

/** Text with what is special in names, and any code units, lone surrogates included. */
const anyId = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        'a',
        'A',
        '.',
        '%',
        '/',
        '\\',
        '\0',
        '2',
        'e',
        'u',
        'h',
        'd',
        '8',
        '0',
        '\ud800',
        '\udc00',
        'é',
        'con',
        'nul',
      ),
    )
    .map((parts) => parts.join('')),
  fc.array(fc.nat(0xffff), { maxLength: 400 }).map((units) => String.fromCharCode(...units)),
);
