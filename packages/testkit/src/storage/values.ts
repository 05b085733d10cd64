import type { LibraryId } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { readAll } from './dump.js';
import type { StorageContractOptions, StorageTest } from './fixture.js';
import { at, baseline, operation } from './rows.js';

const DEFAULT_LARGE_BYTES = 16 * 1024 * 1024;

export function valueContract(test: StorageTest, options: StorageContractOptions): void {
  const largest = (limit: number) => Math.min(options.largeValueBytes ?? DEFAULT_LARGE_BYTES, limit);

  test('a value as large as the limit comes back whole', async ({ write, storage, reopen }) => {
    const writer = await write();
    const large = textOf(largest(storage.limits.maxValueBytes));
    await writer.commit({ operations: [operation(1, { data: large })] });
    await writer.commit({ baselines: [baseline('items/1', { snapshot: large })] });
    const found = await writer.library.foldable({ after: 0, through: 1, before: at(2), limit: 10 });
    expectSame(found.operations[0]?.data, large);
    expectSame(found.baselines[0]?.snapshot, large);
    const library = await (await reopen()).open('library' as LibraryId);
    const [operations, baselines] = [
      await readAll(library.readOperations(0, 9)),
      await readAll(library.readBaselines()),
    ];
    expectSame(operations[0]?.data, large);
    expectSame(baselines[0]?.snapshot, large);
    const told = library.readBaselineTexts && (await readAll(library.readBaselineTexts()));
    const toldOperations = library.readOperationTexts && (await readAll(library.readOperationTexts(0, 9)));
    if (toldOperations) expectSame(JSON.stringify(JSON.parse(toldOperations[0]!.text).data), large);
    if (told) expectSame(JSON.stringify(JSON.parse(told[0]!.text).snapshot), large);
  });

  test('one byte more is refused, or comes back whole', async ({ write, storage }) => {
    const writer = await write();
    await writer.commit({ operations: [operation(1)] });
    const large = textOf(largest(storage.limits.maxValueBytes) + 1);
    const rows = { operations: [operation(2, { data: large })] };
    const committed = await writer.offer(rows, writer.next(rows)).then(
      (result) => result.ok,
      () => false,
    );
    const found = await readAll(writer.library.readOperations(0, 9));
    expect(found).toHaveLength(committed ? 2 : 1);
    if (committed) expectSame(found[1]?.data, large);
    else await writer.commit({ operations: [operation(2)] });
  });
}

/** JSON text of so many bytes, most of them in characters of three. */
function textOf(bytes: number): string {
  const inQuotes = bytes - 2;
  return `"${'漢'.repeat(Math.floor(inQuotes / 3))}${'x'.repeat(inQuotes % 3)}"`;
}

/** Not by `toEqual`: nobody wants to see the difference of two values of this size. */
function expectSame(found: string | undefined, given: string): void {
  expect(found?.length).toBe(given.length);
  expect(found === given).toBe(true);
}
