import type { LibraryId } from '@verdant-web/protocol';
import { expect, vi } from 'vitest';
import { collect, dump } from './dump.js';
import type { StorageTest } from './fixture.js';
import { at, file, operation, operations, replica } from './rows.js';
import { Writer } from './writer.js';

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 0, 1, 12);

export function clockContract(test: StorageTest): void {
  test('a clock that is set back, for a while or by years, changes nothing that is stored', async ({
    storage,
    reopen,
  }) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      let current = storage;
      const hours = [0, -1, 5, -100_000, 1, -2];
      for (const [index, hour] of hours.entries()) {
        const now = NOON + hour * HOUR;
        vi.setSystemTime(now);
        const writer = await Writer.open(current, 'library' as LibraryId);
        await writer.commit({
          // As the clock says: later orders with earlier timestamps.
          operations: [operation(index + 1, { timestamp: at(1_000_000 + hour) })],
          replicas: [replica('a', { lastSeen: now }), replica(`r${index}`, { lastSeen: now })],
          files: [file(`f${index}`, { pendingDeleteAt: now })],
        });
        await (await Writer.open(current, `other-${index}` as LibraryId)).commit({
          operations: [operation(1)],
        });
        const before = await dump(writer.library);
        const listed = await collect(current.list());
        current = await reopen();
        expect(await dump(await current.open('library' as LibraryId))).toEqual(before);
        expect(await collect(current.list())).toEqual(listed);
      }
      const library = await current.open('library' as LibraryId);
      const { operations, replicas, expiredFiles } = await dump(library);
      expect(operations.map((row) => row.timestamp)).toEqual(hours.map((hour) => at(1_000_000 + hour)));
      expect(replicas[0]).toEqual(replica('a', { lastSeen: NOON - 2 * HOUR }));
      expect(expiredFiles).toHaveLength(hours.length);
      expect(await library.expiredFiles(NOON - 2 * HOUR, 100)).toHaveLength(2);
      expect((await library.load(NOON))?.replicas.map((row) => row.id).sort()).toEqual(['r0', 'r2', 'r4']);
    } finally {
      vi.useRealTimers();
    }
  });

  test('reclaiming comes to an end while the clock runs backwards', async ({ write }) => {
    const writer = await write();
    await writer.commit({ operations: operations(2_000) });
    await writer.evict();
    let now = NOON;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => (now -= HOUR));
    try {
      for (let calls = 0; await writer.library.reclaim(1); calls++) expect(calls).toBeLessThan(100_000);
    } finally {
      clock.mockRestore();
    }
    expect((await writer.library.load(0))?.head).toEqual(writer.head);
  });
}
