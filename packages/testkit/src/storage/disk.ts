import type { LibraryStorage } from '@verdant-web/core';
import { expect } from 'vitest';
import type { DurableStorageUnderTest, StorageTest } from './fixture.js';
import { Random } from './random.js';
import { baseline, file, operation, replica } from './rows.js';

const MEGABYTE = 1024 * 1024;
const MEGABYTES = 12;

export function diskContract(test: StorageTest<DurableStorageUnderTest>): void {
  test('evicting a library gives its disk space back', async ({ underTest, write }) => {
    const other = await write('other');
    await other.commit({ operations: [operation(1)] });
    const writer = await write();
    await writer.commit({ replicas: [replica('a')], files: [file('f')] });
    const before = await underTest.diskBytes();
    for (let order = 1; order <= MEGABYTES; order++) {
      await writer.commit({
        operations: [operation(order, { data: noise(order) })],
        baselines: [baseline(`items/${order}`, { snapshot: noise(-order) })],
      });
    }
    const grown = (await underTest.diskBytes()) - before;
    expect(grown, 'diskBytes does not see what was written').toBeGreaterThan(MEGABYTES * MEGABYTE);
    await writer.evict();
    await reclaim(writer.library);
    expect((await underTest.diskBytes()) - before).toBeLessThan(grown / 4);
  });

  test('what was staged and not adopted gives its disk space back', async ({ underTest, write }) => {
    const { library } = await write();
    const before = await underTest.diskBytes();
    async function* pages() {
      for (let order = 1; order <= MEGABYTES; order++) {
        yield { operations: [operation(order, { data: noise(order) })] };
      }
    }
    await library.discardStage(await library.stage(pages()));
    await reclaim(library);
    expect((await underTest.diskBytes()) - before).toBeLessThan((MEGABYTES * MEGABYTE) / 4);
  });
}

async function reclaim(library: LibraryStorage): Promise<void> {
  for (let calls = 0; await library.reclaim(5); calls++) expect(calls).toBeLessThan(100_000);
}

/** About a megabyte of JSON text that no compression makes small. */
function noise(seed: number): string {
  const random = new Random(seed);
  const numbers = Array.from({ length: MEGABYTE / 8 }, () => random.between(0x1000_0000, 0xffff_ffff));
  return JSON.stringify(numbers.map((number) => number.toString(16)).join(''));
}
