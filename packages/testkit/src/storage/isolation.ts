import type { LibraryId } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { collect, readAll } from './dump.js';
import type { StorageTest } from './fixture.js';
import { baseline, file, keyOf, NO_QUERY, oid, operation, replica } from './rows.js';

export function isolationContract(test: StorageTest): void {
  test('libraries of any id are kept apart, and listed by that id', async ({ write, storage, reopen }) => {
    for (const [index, id] of HOSTILE_IDS.entries()) {
      const writer = await write(id);
      await writer.commit({
        operations: [operation(1, { data: `${index}` })],
        replicas: [replica(`r${index}`)],
      });
      await writer.library.close();
    }
    for (const next of [async () => storage, reopen]) {
      const now = await next();
      expect((await collect(now.list())).sort()).toEqual([...HOSTILE_IDS].sort());
      for (const [index, id] of HOSTILE_IDS.entries()) {
        const library = await now.open(id as LibraryId);
        expect(await readAll(library.readOperations(0, 9))).toEqual([operation(1, { data: `${index}` })]);
        expect(await library.readReplicas()).toEqual([replica(`r${index}`)]);
        await library.close();
      }
    }
  });

  test('evicting one library leaves the others as they are', async ({ write }) => {
    const rows = {
      operations: [operation(1)],
      baselines: [baseline('items/1')],
      replicas: [replica('a')],
      files: [file('f')],
    };
    const [one, two] = [await write('one'), await write('two')];
    await one.commit(rows);
    await two.commit(rows);
    await one.evict();
    while (await one.library.reclaim(5));
    expect(await readAll(two.library.readOperations(0, 9))).toEqual(rows.operations);
    expect(await readAll(two.library.readBaselines())).toEqual(rows.baselines);
    expect(await two.library.readReplicas()).toEqual(rows.replicas);
    expect(await two.library.readFile('f')).toEqual(rows.files[0]);
    expect(await two.library.evictedFiles(9)).toEqual([]);
    const objects = [oid('items/1')];
    const facts = await two.library.lookup({ ...NO_QUERY, keys: [keyOf(operation(1))], objects });
    expect(facts.keys).toHaveLength(1);
    expect(facts.objects.operations).toHaveLength(1);
  });

  test('libraries that commit at the same time do not fail each other', async ({ write, reopen }) => {
    const writers = await Promise.all(Array.from({ length: 20 }, (_, index) => write(`library-${index}`)));
    await Promise.all(writers.map((writer) => writer.commit({ operations: [operation(1)] })));
    const results = await Promise.allSettled(
      writers.map((writer, index) => {
        if (index % 4 === 0)
          return writer.offer({ operations: [operation(2)] }, writer.next({}), { epoch: 9, version: 9 });
        const rows = { operations: [operation(2), operation(index % 4 === 1 ? 1 : 3)] };
        return writer.offer(rows, writer.next(rows));
      }),
    );
    const storage = await reopen();
    for (const [index, result] of results.entries()) {
      const library = await storage.open(`library-${index}` as LibraryId);
      const count = (await readAll(library.readOperations(0, 9))).length;
      if (index % 4 === 0) expect([result, count]).toMatchObject([{ value: { ok: false } }, 1]);
      else if (index % 4 === 1) expect([result.status, count]).toEqual(['rejected', 1]);
      else expect([result, count]).toMatchObject([{ value: { ok: true } }, 3]);
    }
  });

  test('listing goes on after any library of the list', async ({ write, storage }) => {
    for (const id of ['b', 'A', 'c', 'a', '../x', 'é'])
      await (await write(id)).commit({ operations: [operation(1)] });
    const all = await collect(storage.list());
    expect(all).toHaveLength(6);
    for (const [index, id] of all.entries()) {
      expect(await collect(storage.list(id))).toEqual(all.slice(index + 1));
    }
  });

  test('a library that was only opened is not listed', async ({ storage }) => {
    const library = await storage.open('library' as LibraryId);
    expect(await library.load(0)).toBe(null);
    expect(await collect(storage.list())).toEqual([]);
  });
}

/** What users may choose, and what would be a trap as a file name, a key or SQL. */
const HOSTILE_IDS = [
  'plain-id_1.0',
  '',
  ' ',
  '.',
  '..',
  '../x',
  '../../etc/passwd',
  '/absolute',
  'a/b',
  'a\\b',
  'C:\\x',
  'a',
  'A',
  'aa',
  'Aa',
  'con',
  'CON',
  'con.x',
  'nul',
  'lpt1',
  '%2e',
  '%2E',
  '%41',
  '%',
  'a\0b',
  'a\0',
  '\u001b0000',
  '\u001b',
  '\ud800',
  '\udc00',
  '\udc00\ud800',
  '\ufffd',
  '😀',
  'é',
  'e\u0301',
  "'; DROP TABLE library; --",
  'x.sqlite',
  'x.sqlite-wal',
  '.verdant-lock',
  'x'.repeat(200),
  'x'.repeat(5000),
  `${'x'.repeat(5000)}y`,
  'é'.repeat(150),
];
