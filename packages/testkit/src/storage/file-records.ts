import { expect } from 'vitest';
import { readAll } from './dump.js';
import type { StorageTest } from './fixture.js';
import { file } from './rows.js';

export function fileRecordContract(test: StorageTest): void {
  test('a file is put, replaced, read and removed', async ({ write }) => {
    const writer = await write();
    await writer.commit({ files: [file('a'), file('b')] });
    await writer.commit({ files: [file('a', { name: 'other', type: '' })], removeFiles: ['b', 'never'] });
    expect(await writer.library.readFile('a')).toEqual(file('a', { name: 'other', type: '' }));
    expect(await writer.library.readFile('b')).toBe(null);
  });

  test('the size of a file may be large, nothing, or unknown', async ({ write }) => {
    const writer = await write();
    const sizes = [0, 5_000_000_000, Number.MAX_SAFE_INTEGER, null];
    await writer.commit({ files: sizes.map((size, index) => file(`f${index}`, { size })) });
    for (const [index, size] of sizes.entries())
      expect(await writer.library.readFile(`f${index}`)).toEqual(file(`f${index}`, { size }));
  });

  test('all files are read, in pages, each once', async ({ write }) => {
    const writer = await write();
    expect(await readAll(writer.library.readFiles())).toEqual([]);
    const ids = Array.from({ length: 600 }, (_, index) => `f${index}`);
    await writer.commit({ files: [...ids, 'gone', 'ü/"\u0000', ''].map((id) => file(id)) });
    await writer.commit({ removeFiles: ['gone'], markFiles: [{ ids: ['f7'], pendingDeleteAt: 1 }] });
    const read = await readAll(writer.library.readFiles());
    expect(read.map(({ id }) => id).sort()).toEqual([...ids, 'ü/"\u0000', ''].sort());
    expect(read.find(({ id }) => id === 'f7')).toEqual(file('f7', { pendingDeleteAt: 1 }));
  });

  test('files are marked as released, by their ids, and as in use again', async ({ write }) => {
    const writer = await write();
    await writer.commit({ files: ['a', 'b', 'c', 'd'].map((id) => file(id)) });
    await writer.commit({
      markFiles: [
        { ids: ['a', 'b', 'unknown'], pendingDeleteAt: 100 },
        { ids: ['c'], pendingDeleteAt: 200 },
      ],
    });
    expect(await writer.library.readFile('unknown')).toBe(null);
    expect(await writer.library.readFile('a')).toEqual(file('a', { pendingDeleteAt: 100 }));
    await writer.commit({ markFiles: [{ ids: ['a'], pendingDeleteAt: null }] });
    expect(await writer.library.expiredFiles(1000, 10)).toEqual([
      file('b', { pendingDeleteAt: 100 }),
      file('c', { pendingDeleteAt: 200 }),
    ]);
  });

  test('a file that is put in the change that marks it is marked', async ({ write }) => {
    const writer = await write();
    await writer.commit({ files: [file('a')], markFiles: [{ ids: ['a'], pendingDeleteAt: 7 }] });
    expect(await writer.library.readFile('a')).toEqual(file('a', { pendingDeleteAt: 7 }));
  });

  test('expired files are those released at or before a time, at most so many', async ({ write }) => {
    const writer = await write();
    await writer.commit({
      files: [0, 99, 100, 101]
        .map((time) => file(`f${time}`, { pendingDeleteAt: time }))
        .concat(file('used')),
    });
    const ids = (await writer.library.expiredFiles(100, 10)).map((row) => row.id);
    expect(ids.sort()).toEqual(['f0', 'f100', 'f99']);
    expect(await writer.library.expiredFiles(100, 2)).toHaveLength(2);
    expect(await writer.library.expiredFiles(-1, 10)).toEqual([]);
  });
}
