import type { LibraryId, UserId } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { dump, readAll } from './dump.js';
import type { StorageTest } from './fixture.js';
import {
  access,
  at,
  authz,
  baseline,
  file,
  keyOf,
  NO_QUERY,
  oid,
  operation,
  replica,
  replicaId,
} from './rows.js';

export function textContract(test: StorageTest): void {
  test('every string comes back as it was given', async ({ write, reopen }) => {
    const writer = await write();
    const rows = TEXTS.map(rowsNamed);
    const replicas = rows.map((row) => row.replica);
    await writer.commit(
      {
        operations: rows.map((row) => row.operation),
        baselines: rows.map((row) => row.baseline),
        replicas,
        access: rows.map((row) => row.access),
        files: rows.map((row) => row.file),
      },
      { soleAuthor: replicaId('\ud800\0') },
    );
    const keys = rows.map((row) => keyOf(row.operation));
    const objects = rows.map((row) => row.baseline.oid);
    const before = await dump(writer.library);
    const storage = await reopen();
    const library = await storage.open('library' as LibraryId);
    expect(await dump(library)).toEqual(before);
    expect(before.loaded?.head.soleAuthor).toBe('\ud800\0');
    expect(before.operations).toEqual(rows.map((row) => row.operation));
    expect(before.baselines).toHaveLength(TEXTS.length);
    expect(before.baselines).toEqual(expect.arrayContaining(rows.map((row) => row.baseline)));
    expect(before.replicas).toHaveLength(TEXTS.length);
    expect(before.replicas).toEqual(expect.arrayContaining(replicas));
    const facts = await library.lookup({
      keys,
      replicas: replicas.map((row) => row.id),
      access: rows.map((row) => row.access.root),
      objects,
    });
    expect(facts.keys).toEqual(keys);
    expect(facts.replicas).toEqual(replicas);
    expect(facts.access).toEqual(rows.map((row) => row.access));
    expect(facts.objects.operations).toHaveLength(TEXTS.length);
    for (const row of rows) expect(await library.readFile(row.file.id)).toEqual(row.file);
  });

  test('strings that are nearly the same are told apart', async ({ write }) => {
    const writer = await write();
    const rows = TEXTS.map(rowsNamed);
    await writer.commit({
      operations: rows.map((row) => row.operation),
      baselines: rows.map((row) => row.baseline),
    });
    for (const row of rows) {
      const document = await writer.library.readDocument(row.baseline.oid);
      expect(document).toEqual({ baselines: [row.baseline], operations: [row.operation] });
      await writer.commit({ removeBaselines: [row.baseline.oid], fold: [row.operation.order] });
    }
    expect(await readAll(writer.library.readBaselines())).toEqual([]);
    const keys = rows.map((row) => keyOf(row.operation));
    expect((await writer.library.lookup({ ...NO_QUERY, keys })).keys).toEqual(keys);
    for (const { replicaId } of keys) await writer.commit({ dropKeys: [{ replicaId, through: at(999) }] });
    expect((await writer.library.lookup({ ...NO_QUERY, keys })).keys).toEqual([]);
  });

  test('nested objects of a strangely named document are found', async ({ write }) => {
    const writer = await write();
    const roots = TEXTS.filter((text) => !text.includes(':')).map((text) => `items/${text}`);
    const all = roots.flatMap((root) => [root, `${root}:x`, `${root}:\ud800`]);
    await writer.commit({ baselines: all.map((id) => baseline(id)) });
    for (const root of roots) {
      const ids = (await writer.library.readDocument(oid(root))).baselines.map((row) => row.oid);
      expect(ids.sort()).toEqual([root, `${root}:x`, `${root}:\ud800`].sort());
    }
  });
}

/** Rows with this text wherever a user or client chooses one. Values are JSON, which has no lone surrogates or NULs. */
const rowsNamed = (text: string, index: number) => ({
  operation: operation(index + 1, {
    oid: oid(`items/${text}`),
    replicaId: replicaId(text),
    authz: authz(text),
    data: JSON.stringify({ op: 'set', name: text, value: text }),
  }),
  baseline: baseline(`items/${text}`, { authz: authz(text), snapshot: JSON.stringify({ [text]: text }) }),
  replica: replica(text, { userId: text as UserId }),
  access: access(`items/${text}`, { authz: authz(text) }),
  file: file(text, { name: text, type: text }),
});

const TEXTS = [
  'plain',
  '',
  ' ',
  'it\'s "quoted" \\ %_',
  '\0',
  'a\0b',
  'a\0c',
  'a',
  '\u001b',
  '\u001b0000',
  '\u001bd800',
  '\ud800',
  '\udfff',
  '\ud800x',
  'x\ud800',
  '\udc00\ud800',
  '\ufffd',
  '\uffff',
  '😀',
  'é',
  'e\u0301',
  '\r\n\t',
  '\u2028',
  'ÀÁ漢字',
  'NULL',
  '\ufeffa',
];
