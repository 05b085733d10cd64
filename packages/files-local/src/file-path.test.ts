import { describe, expect, test } from 'vitest';
import { filePath } from './file-path.js';

const component = (id: string) => filePath({ libraryId: 'lib', id, name: 'name' })[1];
const fileName = (name: string) => filePath({ libraryId: 'lib', id: 'id', name })[2];

describe('filePath', () => {
  test('leaves plain ids and names as they are', () => {
    expect(filePath({ libraryId: 'my-library_1', id: 'cl9x2k3ab0000', name: 'photo.of.me.png' })).toEqual([
      'my-library_1',
      'cl9x2k3ab0000',
      'photo.of.me.png',
    ]);
    expect(component('123e4567-e89b-12d3-a456-426614174000')).toBe('123e4567-e89b-12d3-a456-426614174000');
  });

  test('keeps changed ones readable', () => {
    expect(component('User 42/Notes')).toMatch(/^_user_42_notes-[0-9a-f]{32}$/);
    expect(fileName('Grüße aus Köln.JPG')).toMatch(/^_gr_e_aus_k_ln-[0-9a-f]{32}\.jpg$/);
  });

  test('is the same each time, here and after an update: files on disk depend on it', () => {
    expect(filePath({ libraryId: 'Lib', id: '../../x', name: 'IMG 1.PNG' })).toEqual([
      '_lib-a52cfb7bb19b1e4c09994c24c8784253',
      '__x-c9fb83208c7bd8ee33e528c994b8ad36',
      '_img_1-8565543fc4c66e7f43c3a051ec9e99b5.png',
    ]);
  });

  test('is portable for whatever comes', () => {
    for (const text of anything()) {
      for (const part of filePath({ libraryId: text, id: text, name: text })) {
        expect(part).toMatch(/^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_-])?$/);
        expect(part.length).toBeLessThanOrEqual(100);
        expect(part).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        expect(encodeURIComponent(part)).toBe(part);
      }
    }
  });

  test('never gives two ids one place, not even where case makes no difference', () => {
    const ids = new Set(anything());
    expect(new Set([...ids].map((id) => component(id).toLowerCase())).size).toBe(ids.size);
    expect(new Set([...ids].map((name) => fileName(name).toLowerCase())).size).toBe(ids.size);
  });

  test('nobody can choose an id that is the changed form of another', () => {
    const changed = component('A');
    expect(component(changed)).not.toBe(changed);
    expect(fileName(fileName('A.png'))).not.toBe(fileName('A.png'));
  });

  test.each([
    ['photo.JPG', '.jpg'],
    ['My Archive.tar.gz', '.gz'],
    ['A.7z', '.7z'],
    ['ä.webmanifest', '.webmanifest'],
    ['Has No Extension', ''],
    ['A.with space', ''],
    ['.PROFILE', ''],
    ['..PNG', ''],
    ['A.', ''],
    ['A.p/ng', ''],
    ['A.pn\u0000g', ''],
    ['A.pngé', ''],
    ['A.abcdefghijklmnopq', ''],
  ])('of the name %j keeps the extension %j', (name, extension) => {
    expect(/-[0-9a-f]{32}(.*)$/.exec(fileName(name))?.[1]).toBe(extension);
  });

  test('of a very long name keeps the extension', () => {
    expect(fileName(`${'a'.repeat(10_000)}.png`)).toMatch(/^_a{40}-[0-9a-f]{32}\.png$/);
  });
});

/** Every single UTF-16 unit up to a point, pairs and triples of the awkward ones, and long ones. */
function* anything(): Generator<string> {
  for (let unit = 0; unit < 0x300; unit++) yield* around(String.fromCharCode(unit));
  for (let unit = 0xd7f0; unit < 0xe010; unit++) yield* around(String.fromCharCode(unit));
  const awkward = [
    '.',
    '/',
    '\\',
    ' ',
    '%',
    '\u0000',
    'A',
    'a',
    '_',
    '-',
    '~',
    ':',
    'é',
    '\ud83d',
    '\ude00',
    'con',
    'NUL',
  ];
  for (const one of awkward) {
    for (const two of awkward) {
      yield one + two;
      for (const three of awkward) yield one + two + three;
    }
  }
  for (const length of [63, 64, 65, 100, 255, 256, 10_000]) {
    for (const one of ['a', 'A', '.', '/', '💚']) yield `${one.repeat(length)}`;
    yield `${'a'.repeat(length)}.png`;
  }
}

function* around(character: string): Generator<string> {
  yield character;
  yield `${character}middle`;
  yield `mid${character}dle`;
  yield `middle${character}`;
}
