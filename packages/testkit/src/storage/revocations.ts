import type { RevocationRow, Storage } from '@verdant-web/core';
import type { LibraryId, UserId } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { collect } from './dump.js';
import type { StorageTest } from './fixture.js';
import { operation } from './rows.js';

export function revocationContract(test: StorageTest): void {
  test('there are none before the first, and looking for them creates no library', async ({
    storage,
    reopen,
  }) => {
    expect(await storage.readRevocations()).toEqual([]);
    const again = await reopen();
    expect(await again.readRevocations()).toEqual([]);
    expect(await collect(again.list())).toEqual([]);
  });

  test('of a user, of a library and of both are kept apart, and survive a restart', async ({
    storage,
    reopen,
  }) => {
    const rows = [
      revoked('ann', null, 1_700_000_000_001),
      revoked(null, 'ann', 2),
      revoked('ann', 'ann', 3),
      revoked('ann', 'lib', 4),
      revoked('bob', 'lib', 5),
    ];
    for (const row of rows) await storage.putRevocation(row);
    expect(await all(storage)).toEqual(sorted(rows));
    const again = await reopen();
    expect(await all(again)).toEqual(sorted(rows));
    await again.putRevocation(revoked('eve', null, 6));
    expect(await all(await reopen())).toEqual(sorted([...rows, revoked('eve', null, 6)]));
  });

  test('the latest of one user and library stays, whatever the order in which they come', async ({
    storage,
    reopen,
  }) => {
    for (const issuedBefore of [5, 9, 7]) await storage.putRevocation(revoked('ann', null, issuedBefore));
    expect(await all(storage)).toEqual([revoked('ann', null, 9)]);
    const again = await reopen();
    await again.putRevocation(revoked('ann', null, 8));
    expect(await all(again)).toEqual([revoked('ann', null, 9)]);
  });

  test('that are put at once are all kept', async ({ storage, reopen }) => {
    const rows = Array.from({ length: 50 }, (_, index) => revoked(`user-${index}`, null, index + 1));
    await Promise.all(rows.map((row) => storage.putRevocation(row)));
    expect(await all(await reopen())).toEqual(sorted(rows));
  });

  test('of ids of any kind come back as they were put', async ({ storage, reopen }) => {
    const ids = [' ', 'null', '\0', '\u001b', '\ud800', 'é', '💚', '../x', "'; DROP TABLE revocation", '%'];
    const rows = ids.flatMap((id) => [revoked(id, null, 1), revoked(null, id, 2)]);
    for (const row of rows) await storage.putRevocation(row);
    expect(await all(await reopen())).toEqual(sorted(rows));
  });

  test('are no libraries, and stay when theirs is evicted', async ({ storage, write, reopen }) => {
    await storage.putRevocation(revoked('ann', 'library', 1));
    expect(await collect(storage.list())).toEqual([]);
    const writer = await write();
    await writer.commit({ operations: [operation(1)] });
    await writer.evict();
    while (await writer.library.reclaim(5));
    expect(await collect(storage.list())).toEqual(['library']);
    expect(await all(await reopen())).toEqual([revoked('ann', 'library', 1)]);
  });
}

const revoked = (userId: string | null, libraryId: string | null, issuedBefore: number): RevocationRow => ({
  userId: userId as UserId | null,
  libraryId: libraryId as LibraryId | null,
  issuedBefore,
});

const all = async (storage: Storage): Promise<RevocationRow[]> => sorted(await storage.readRevocations());

/** In any order that is the same for both sides of a comparison. */
const sorted = (rows: readonly RevocationRow[]): RevocationRow[] =>
  [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
