import type { LibraryStorage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { collect, dump } from './dump.js';
import type { StorageTest } from './fixture.js';
import {
  access,
  baseline,
  file,
  head,
  keyOf,
  oid,
  operation,
  operations,
  replica,
  replicaId,
} from './rows.js';

export function evictionContract(test: StorageTest): void {
  test('nothing of an evicted epoch can be read, but for the record of its files', async ({ write }) => {
    const writer = await write();
    const rows = operations(20);
    await writer.commit({ ...CONTENT, operations: rows });
    await writer.commit({ fold: [1, 2, 3] });
    await writer.evict();
    const empty = {
      loaded: { head: writer.head, replicas: [] },
      baselines: [],
      operations: [],
      replicas: [],
    };
    expect(await dump(writer.library)).toEqual({
      ...empty,
      files: [],
      expiredFiles: [],
      evictedFiles: CONTENT.files,
    });
    const facts = await writer.library.lookup({
      keys: rows.map(keyOf),
      replicas: [replicaId('a')],
      access: [oid('items/1')],
      objects: [oid('items/1')],
    });
    expect(facts).toEqual({ keys: [], replicas: [], access: [], objects: { baselines: [], operations: [] } });
    expect(await writer.library.readDocument(oid('items/1'))).toEqual({ baselines: [], operations: [] });
    expect(await writer.library.readFile('kept')).toBe(null);
    expect(await writer.library.earliestAfter(0)).toBe(null);
  });

  test('what was decided in an older epoch cannot commit', async ({ write }) => {
    const writer = await write();
    await writer.commit({ operations: [operation(1)] });
    const old = writer.head;
    await writer.evict();
    const late = await writer.offer(
      { operations: [operation(2)] },
      { ...old, version: old.version + 1 },
      old,
    );
    expect(late).toEqual({ ok: false, conflict: writer.head });
  });

  test('an eviction that starts no later epoch is refused', async ({ write }) => {
    const writer = await write();
    await writer.commit(CONTENT);
    await writer.evict();
    await writer.commit({ operations: [operation(1)] });
    const before = await dump(writer.library);
    await expect(writer.library.evict(head({ epoch: 1 }))).rejects.toThrow();
    expect(await dump(writer.library)).toEqual(before);
  });

  test('the next epoch is written while the rows of the last are still being deleted', async ({
    write,
    reopen,
  }) => {
    const writer = await write();
    for (let round = 0; round < 3; round++) {
      await writer.commit({ ...CONTENT, operations: operations(200) });
      await writer.commit({ fold: [1, 2, 3] });
      await writer.evict();
    }
    await writer.commit({ operations: operations(5), replicas: [replica('new')] });
    const before = await dump(writer.library);
    for (let calls = 0; await writer.library.reclaim(1); calls++) expect(calls).toBeLessThan(10_000);
    expect(await dump(writer.library)).toEqual(before);
    expect(await dump(await (await reopen()).open('library' as LibraryId))).toEqual(before);
  });

  test('a library can be evicted before its first commit', async ({ write, storage }) => {
    const writer = await write();
    await writer.evict();
    expect(await writer.library.load(0)).toEqual({ head: writer.head, replicas: [] });
    expect(await collect(storage.list())).toEqual(['library']);
    await writer.commit({ operations: [operation(1)] });
    expect(await collect(storage.list())).toEqual(['library']);
  });

  test('files of evicted epochs are told until they are forgotten', async ({ write }) => {
    const writer = await write();
    await writer.commit({ files: ['a', 'b', 'c'].map((id) => file(id)) });
    await writer.evict();
    await writer.commit({ files: [file('d')] });
    await writer.evict();
    await drain(writer.library);
    expect(await evictedIds(writer.library)).toEqual(['a', 'b', 'c', 'd']);
    expect(await writer.library.evictedFiles(2)).toHaveLength(2);
    await writer.library.forgetEvictedFiles(['a', 'd', 'unknown']);
    expect(await evictedIds(writer.library)).toEqual(['b', 'c']);
    await writer.library.forgetEvictedFiles(['b', 'c']);
    await drain(writer.library);
    expect(await evictedIds(writer.library)).toEqual([]);
  });

  test('a file that is uploaded again in the new epoch is not one of the evicted any more', async ({
    write,
  }) => {
    const writer = await write();
    await writer.commit({ files: [file('a'), file('b')] });
    await writer.evict();
    await writer.commit({ files: [file('a', { name: 'again' })] });
    expect(await evictedIds(writer.library)).toEqual(['b']);
    await writer.library.forgetEvictedFiles(['a', 'b']);
    expect(await writer.library.readFile('a')).toEqual(file('a', { name: 'again' }));
  });

  test('a reader of an evicted epoch is not given part of it as the whole', async ({ write }) => {
    const writer = await write();
    await writer.commit({ operations: operations(5_000) });
    const read = async () => {
      for await (const page of writer.library.readOperations(0, 5_000)) {
        if (page[0]?.order === 1) await writer.evict();
      }
    };
    await expect(read()).rejects.toThrow();
  });

  const readers: Record<string, (library: LibraryStorage) => AsyncIterable<unknown>> = {
    baselines: (library) => library.readBaselineTexts?.() ?? library.readBaselines(),
    operations: (library) => library.readOperationTexts?.(0, 5_000) ?? library.readOperations(0, 5_000),
  };
  for (const [what, pagesOf] of Object.entries(readers)) {
    test(`nor is a reader of its ${what} as they go over the wire`, async ({ write }) => {
      const writer = await write();
      const rows = operations(5_000);
      const baselines = rows.map(({ order }) => baseline(`items/${order}`));
      await writer.commit({ operations: rows, baselines });
      const read = async () => {
        let pages = 0;
        for await (const _ of pagesOf(writer.library)) if (++pages === 1) await writer.evict();
      };
      await expect(read()).rejects.toThrow();
    });
  }
}

const CONTENT = {
  baselines: [baseline('items/1'), baseline('items/1:a')],
  replicas: [replica('a')],
  access: [access('items/1')],
  files: [file('kept')],
};

async function drain(library: LibraryStorage): Promise<void> {
  for (let calls = 0; await library.reclaim(5); calls++) expect(calls).toBeLessThan(10_000);
}

const evictedIds = async (library: LibraryStorage): Promise<string[]> =>
  (await library.evictedFiles(100)).map((row) => row.id).sort();
