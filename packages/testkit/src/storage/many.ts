import { existsSync, readdirSync } from 'node:fs';
import type { LibraryStorage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { collect, readAll } from './dump.js';
import type { DurableContractOptions, DurableStorageUnderTest, StorageTest } from './fixture.js';
import { operation } from './rows.js';
import { Writer } from './writer.js';

const LIBRARIES = 10_000;
const AT_A_TIME = 50;
const DEFAULT_MAX_HANDLES = 256;
/** What a runtime opens and closes on its own account meanwhile. */
const NOISE_HANDLES = 16;

export function manyLibrariesContract(
  test: StorageTest<DurableStorageUnderTest>,
  { maxHandles = DEFAULT_MAX_HANDLES }: DurableContractOptions,
): void {
  test(`${LIBRARIES} open libraries keep at most ${maxHandles} handles open`, async ({ storage }) => {
    const before = openHandles();
    const libraries = new Map<LibraryId, LibraryStorage>();
    await inTurns(async (index) => {
      const writer = await Writer.open(storage, idOf(index));
      await writer.commit({ operations: [operation(1, { data: `${index}` })] });
      libraries.set(idOf(index), writer.library);
    });
    expect(openHandles() - before).toBeLessThanOrEqual(maxHandles + NOISE_HANDLES);
    await inTurns(async (index) => {
      const rows = await readAll(libraries.get(idOf(index))!.readOperations(0, 9));
      expect(rows.map((row) => row.data)).toEqual([`${index}`]);
    });
    expect(openHandles() - before).toBeLessThanOrEqual(maxHandles + NOISE_HANDLES);
    expect(new Set(await collect(storage.list()))).toEqual(new Set(libraries.keys()));
    await storage.close();
    expect(openHandles() - before).toBeLessThanOrEqual(NOISE_HANDLES);
  });
}

const idOf = (index: number): LibraryId => `library-${index}` as LibraryId;

async function inTurns(work: (index: number) => Promise<void>): Promise<void> {
  for (let start = 0; start < LIBRARIES; start += AT_A_TIME) {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, index) => work(start + index)));
  }
}

/** Files and sockets that this process has open. Where the system does not tell (Windows), none. */
function openHandles(): number {
  return existsSync('/dev/fd') ? readdirSync('/dev/fd').length : 0;
}
