import type { FileStorage, StoredFile } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inventoryContract } from './files/inventory.js';
import { openContract } from './files/open.js';
import type { FileTest } from './files/test.js';

/** One empty storage to run a test on. */
export interface FileStorageFixture {
  /** The implementation under test. */
  storage: FileStorage;
  /** The file's bytes as a client would get them from `getUrl`; null where there are none. */
  read(file: StoredFile): Promise<Uint8Array | null>;
  /** Removes what the test left. */
  dispose(): Promise<void>;
}

/** What {@link fileStorageContract} runs on. */
export interface FileStorageContract {
  /** Names the suite. */
  name: string;
  /** Makes an empty storage that shares nothing with those made before. */
  create(): Promise<FileStorageFixture>;
  /** What of the optional parts it has; these are tested too. Default: none. */
  has?: readonly ('open' | 'inventory')[];
}

/**
 * Registers the vitest suite that every `FileStorage` has to pass. Call it at the top of a test file.
 *
 * @example
 * ```ts
 * import { fileStorageContract } from '@verdant-web/testkit/files';
 *
 * fileStorageContract({
 *   name: 'BucketFileStorage',
 *   create: async () => {
 *     const bucket = await makeEmptyBucket();
 *     const storage = new BucketFileStorage({ bucket });
 *     const read = async (file) => {
 *       const response = await fetch(storage.getUrl(file));
 *       return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
 *     };
 *     return { storage, read, dispose: () => bucket.remove() };
 *   },
 * });
 * ```
 */
export const fileStorageContract = ({ name, create, has = [] }: FileStorageContract): void => {
  describe(`${name} keeps the FileStorage contract`, () => {
    let fixture: FileStorageFixture;
    beforeEach(async () => {
      fixture = await create();
    });
    afterEach(() => fixture.dispose());

    const put = (file: StoredFile, content: string | Uint8Array) => {
      const whole = typeof content === 'string' ? bytes(content) : content;
      return fixture.storage.put({ ...file, size: whole.length }, streamOfChunks([whole]));
    };
    /** As when a client leaves: of what was announced only this comes. */
    const putHalf = (file: StoredFile, chunks: string[]) =>
      fixture.storage.put({ ...file, size: 1_000 }, failingStream(chunks));
    const contract: FileTest = { storage: () => fixture.storage, put, file };
    const readText = async (file: StoredFile) => {
      const bytes = await fixture.read(file);
      return bytes && new TextDecoder().decode(bytes);
    };

    describe('bytes', () => {
      test('what is put is there when put resolves', async () => {
        await put(file(), 'hello');
        expect(await readText(file())).toBe('hello');
      });

      test('a file that was never put is not there', async () => {
        await put(file(), 'hello');
        expect(await fixture.read(file({ id: 'other' }))).toBeNull();
        expect(await fixture.read(file({ libraryId: library('other') }))).toBeNull();
      });

      test('an empty file is a file', async () => {
        await put(file(), '');
        expect(await readText(file())).toBe('');
      });

      test('empty chunks change nothing', async () => {
        const chunks = ['', 'a', '', 'b', ''].map(bytes);
        await fixture.storage.put({ ...file(), size: 2 }, streamOfChunks(chunks));
        expect(await readText(file())).toBe('ab');
      });

      test('5 MB in chunks of odd sizes arrive whole and in order', async () => {
        const content = noise(5 * 1024 * 1024 + 13);
        await fixture.storage.put({ ...file(), size: content.length }, streamOfChunks(oddChunks(content)));
        expect(sameBytes(await fixture.read(file()), content)).toBe(true);
      });

      test('the media type changes nothing about the bytes', async () => {
        await put(file({ type: '' }), 'hello');
        expect(await readText(file())).toBe('hello');
      });
    });

    describe('replacing', () => {
      test('the same id again replaces the bytes, also by fewer', async () => {
        await put(file(), 'a long content');
        await put(file(), 'short');
        expect(await readText(file())).toBe('short');
      });

      test('under another name too, and the earlier bytes are nowhere', async () => {
        await put(file({ name: 'before.txt' }), 'before');
        await put(file({ name: 'after.png' }), 'after');
        expect(await readText(file({ name: 'after.png' }))).toBe('after');
        expect(await readText(file({ name: 'before.txt' }))).not.toBe('before');
      });

      test('under a name that differs in case alone', async () => {
        await put(file({ name: 'Photo.PNG' }), 'before');
        await put(file({ name: 'photo.png' }), 'after');
        expect(await readText(file({ name: 'photo.png' }))).toBe('after');
      });

      test('puts of one id at the same time leave one of them, whole', async () => {
        const contents = [...'abcdefgh'].map((letter) => letter.repeat(100_000));
        await Promise.all(contents.map((content) => put(file(), content)));
        expect(contents).toContain(await readText(file()));
      });

      test('also under different names', async () => {
        const files = [...'abcdefgh'].map((letter) => file({ name: `${letter}.txt` }));
        await Promise.all(files.map((one) => put(one, one.name)));
        const left = (await Promise.all(files.map(readText))).filter((content) => content !== null);
        expect(new Set(left).size).toBe(1);
        expect(files.map((one) => one.name)).toContain(left[0]);
      });
    });

    describe('a body that fails', () => {
      test('rejects, and leaves nothing', async () => {
        await expect(putHalf(file(), ['some', 'bytes'])).rejects.toThrow();
        expect(await fixture.read(file())).toBeNull();
      });

      test('rejects also when it fails before the first byte', async () => {
        await expect(putHalf(file(), [])).rejects.toThrow();
        expect(await fixture.read(file())).toBeNull();
      });

      test('keeps the earlier bytes', async () => {
        await put(file(), 'earlier');
        await expect(putHalf(file(), ['late'])).rejects.toThrow();
        await expect(putHalf(file({ name: 'new.txt' }), ['late'])).rejects.toThrow();
        expect(await readText(file())).toBe('earlier');
      });

      test('does not stand in the way of the next try', async () => {
        await expect(putHalf(file(), ['some'])).rejects.toThrow();
        await put(file(), 'whole');
        expect(await readText(file())).toBe('whole');
      });
    });

    describe('deleting', () => {
      test('takes the bytes away', async () => {
        await put(file(), 'hello');
        await fixture.storage.delete(file());
        expect(await fixture.read(file())).toBeNull();
      });

      test('a file or library that is not there is no error', async () => {
        await fixture.storage.delete(file());
        await put(file(), 'hello');
        await fixture.storage.delete(file({ id: 'other' }));
        await fixture.storage.delete(file({ libraryId: library('other') }));
        await fixture.storage.delete(file());
        await fixture.storage.delete(file());
      });

      test('leaves the other files of the library', async () => {
        await put(file({ id: 'one' }), '1');
        await put(file({ id: 'two' }), '2');
        await fixture.storage.delete(file({ id: 'one' }));
        expect(await readText(file({ id: 'two' }))).toBe('2');
      });

      test('a deleted file can be put again', async () => {
        await put(file(), 'before');
        await fixture.storage.delete(file());
        await put(file(), 'after');
        expect(await readText(file())).toBe('after');
      });

      test('puts and deletes in one library at the same time do not disturb each other', async () => {
        const kept = Array.from({ length: 20 }, (_, index) => file({ id: `kept${index}` }));
        const deleted = Array.from({ length: 20 }, (_, index) => file({ id: `deleted${index}` }));
        await Promise.all(deleted.map((one) => put(one, one.id)));
        await Promise.all([
          ...deleted.map((one) => fixture.storage.delete(one)),
          ...kept.map((one) => put(one, one.id)),
        ]);
        expect(await Promise.all(kept.map(readText))).toEqual(kept.map((one) => one.id));
        expect(await Promise.all(deleted.map(readText))).toEqual(deleted.map(() => null));
      });
    });

    describe('ids and names are anything that a client sends', () => {
      /** All are put before any is read: what two of them share would be overwritten. */
      const expectKeptApart = async (files: StoredFile[]) => {
        for (const [index, one] of files.entries()) await put(one, `content ${index}`);
        const contents = await Promise.all(files.map(readText));
        expect(contents).toEqual(files.map((_, index) => `content ${index}`));

        for (const one of files) await fixture.storage.delete(one);
        expect(await Promise.all(files.map(readText))).toEqual(files.map(() => null));
      };

      test('file ids are kept apart', () => expectKeptApart(HOSTILE.map((id) => file({ id }))));

      test('library ids are kept apart', () =>
        expectKeptApart(HOSTILE.map((id) => file({ libraryId: library(id) }))));

      test('names are taken', () =>
        expectKeptApart(HOSTILE.map((name, index) => file({ id: `f${index}`, name }))));

      test('library, id and name do not run into each other', () =>
        expectKeptApart([
          file({ libraryId: library('a'), id: 'b/c', name: 'd' }),
          file({ libraryId: library('a/b'), id: 'c', name: 'd' }),
          file({ libraryId: library('a'), id: 'b', name: 'c/d' }),
          file({ libraryId: library('b'), id: 'a', name: 'd' }),
        ]));
    });

    describe('libraries are apart', () => {
      const mine = file({ libraryId: library('mine') });
      const yours = file({ libraryId: library('yours') });

      test('the same id and name in both are two files', async () => {
        await put(mine, 'mine');
        await put(yours, 'yours');
        expect(await readText(mine)).toBe('mine');
        expect(await readText(yours)).toBe('yours');
      });

      test('deleting in one leaves the other', async () => {
        await put(mine, 'mine');
        await put(yours, 'yours');
        await fixture.storage.delete(mine);
        expect(await readText(yours)).toBe('yours');
      });
    });

    test('it has the optional parts that it is said to have', () => {
      expect(fixture.storage.open !== undefined).toBe(has.includes('open'));
      expect(fixture.storage.inventory !== undefined).toBe(has.includes('inventory'));
    });
    if (has.includes('open')) describe('open', () => openContract(contract));
    if (has.includes('inventory')) describe('inventory', () => inventoryContract(contract));

    describe('getUrl', () => {
      test('is absolute and escaped, whatever the file is called', async () => {
        for (const hostile of HOSTILE) {
          const url = await fixture.storage.getUrl(
            file({ id: hostile, libraryId: library(hostile), name: hostile }),
          );
          // A URL that is absolute and needs no correction is its own normal form.
          expect(new URL(url).href).toBe(url);
          expect(['http:', 'https:']).toContain(new URL(url).protocol);
        }
      });

      test('differs by file and by library', async () => {
        const files = [
          ...HOSTILE.map((id) => file({ id })),
          ...HOSTILE.map((id) => file({ libraryId: library(id) })),
        ];
        const urls = await Promise.all(files.map((one) => fixture.storage.getUrl(one)));
        expect(new Set(urls).size).toBe(files.length);
      });
    });
  });
};

const library = (id: string) => id as LibraryId;

const file = (changes: Partial<StoredFile> = {}): StoredFile => ({
  id: 'file1',
  libraryId: library('lib1'),
  name: 'photo.png',
  type: 'image/png',
  ...changes,
});

/** Every one different from every other, if only just. */
const HOSTILE: readonly string[] = [
  ...['', ' ', '.', '..', '...', '/', '\\', '//', './', '../'],
  ...['../../x', '..\\..\\x', '/etc/passwd', 'C:\\x', 'a/b', 'a\\b', 'a//b', 'a/../b', 'a/./b'],
  ...['%2e%2e', '%2e%2e%2f', '%252e', '%', '%00', '%zz', '\u0000', 'a\u0000b', 'a\nb', '\u007f'],
  ...['con', 'CON', 'con.txt', 'nul', 'NUL.png', 'com1', 'lpt9.tar.gz', 'aux.', 'prn '],
  ...['x', 'X', 'x.', 'x ', ' x', '.x', '_x', '-x', 'x..', 'x.png', 'X.png', 'x.PNG', 'x.png.', 'x.png/..'],
  ...['.tmp', '.git', '.htaccess', 'index.html', '__proto__', 'constructor', '~', '~/x', '$HOME', '-rf'],
  ...['a?b=c', 'a#b', 'a&b', 'a b', 'a+b', 'a:b', 'a*b', 'a"b', "a'b", 'a<b>', 'a|b', 'a;b', 'a@b', '[a]'],
  ...[
    'é',
    'e\u0301',
    'É',
    'ß',
    'ss',
    'ı',
    'i',
    'İ',
    '你好.png',
    '💚',
    '💚.gif',
    '\u202egnp.exe',
    '\ufeffx',
    '\ufffd',
  ],
  ...['\ud83d', '\ude00', 'a\ud800', 'a\ud801', 'a\udc00.png'],
  ...['a'.repeat(64), 'a'.repeat(65), 'a'.repeat(255), 'a'.repeat(256), 'A'.repeat(256)],
  ...[
    'a'.repeat(300),
    `${'a'.repeat(299)}b`,
    `${'a'.repeat(300)}.png`,
    `${'/'.repeat(300)}`,
    '💚'.repeat(300),
  ],
  ...['x'.repeat(10_000), `${'x'.repeat(9_999)}y`, `x.${'png'.repeat(3_000)}`, '../'.repeat(3_333)],
];

const bytes = (text: string) => new TextEncoder().encode(text);

/** Gives a chunk when it is asked for one, as a network does. */
const streamOfChunks = (chunks: Iterable<Uint8Array>): ReadableStream<Uint8Array> => {
  const iterator = chunks[Symbol.iterator]();
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const { done, value } = iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
};

/** Gives the chunks and then fails, as when the client has gone. */
const failingStream = (chunks: string[]): ReadableStream<Uint8Array> =>
  streamOfChunks(
    (function* () {
      for (const chunk of chunks) yield bytes(chunk);
      throw new Error('The client has gone.');
    })(),
  );

/** Bytes that no compression or text conversion leaves alone; the same in each run. */
const noise = (length: number): Uint8Array => {
  let state = 0x9e3779b9;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 24;
  });
};

const oddChunks = function* (content: Uint8Array): Generator<Uint8Array> {
  const sizes = [1, 0, 3, 7, 1021, 65_537, 131_071, 17, 300_007];
  for (let offset = 0, turn = 0; offset < content.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    yield content.subarray(offset, offset + size);
    offset += size;
  }
};

const sameBytes = (left: Uint8Array | null, right: Uint8Array): boolean =>
  left !== null && left.length === right.length && left.every((byte, index) => byte === right[index]);
