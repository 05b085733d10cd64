import type { FoundBytes, StoredFile } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import type { FileTest } from './test.js';

/** What `core.files.deleteOrphans` counts on. */
export function inventoryContract({ storage, put, file }: FileTest): void {
  const inventory = () => {
    const { inventory } = storage();
    if (!inventory) throw new Error('It has no inventory.');
    return inventory;
  };
  const list = async () => {
    const found: FoundBytes[] = [];
    for await (const one of inventory().list()) found.push(one);
    return found;
  };
  const isThere = async (one: StoredFile) => (await list()).some(({ key }) => key === inventory().keyOf(one));
  const files = ['a', 'A', 'ü/..', ''].flatMap((id) =>
    ['lib', 'Lib 2'].map((library) => file({ id, libraryId: library as LibraryId, name: `${id} name.PNG` })),
  );

  test('lists nothing where nothing was put', async () => {
    expect(await list()).toEqual([]);
  });

  test('lists every file once, by its key, with its size and time', async () => {
    for (const [index, one] of files.entries()) await put(one, 'x'.repeat(index));
    const found = await list();
    expect(found.map(({ key }) => key).sort()).toEqual(files.map((one) => inventory().keyOf(one)).sort());
    for (const [index, one] of files.entries()) {
      const entry = found.find(({ key }) => key === inventory().keyOf(one));
      expect(entry?.size).toBe(index);
      expect(Math.abs(Date.now() - (entry?.modifiedAt ?? 0))).toBeLessThan(24 * 3_600_000);
    }
  });

  test('removes what it found, and nothing else', async () => {
    const [gone, ...kept] = files as [StoredFile, ...StoredFile[]];
    for (const one of files) await put(one, 'bytes');
    const found = (await list()).find(({ key }) => key === inventory().keyOf(gone))!;
    await inventory().remove(found);
    await inventory().remove(found);
    expect(await isThere(gone)).toBe(false);
    for (const one of kept) expect(await isThere(one)).toBe(true);
    await put(gone, 'again');
    expect(await isThere(gone)).toBe(true);
  });

  test('does not remove what was replaced since', async () => {
    await put(file(), 'before');
    const [found] = await list();
    await put(file(), 'after');
    await inventory().remove({ ...found!, modifiedAt: found!.modifiedAt - 1_000 });
    expect(await isThere(file())).toBe(true);
  });

  test('no longer lists what was deleted', async () => {
    await put(file(), 'bytes');
    await storage().delete(file());
    expect(await list()).toEqual([]);
  });
}
