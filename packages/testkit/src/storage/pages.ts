import { expect } from 'vitest';
import { collect, expectBaselineTexts, expectOperationTexts, readAll } from './dump.js';
import type { StorageTest } from './fixture.js';
import { authz, baseline, oid, operation, operations, replicaId } from './rows.js';

const MANY = 5_000;
/** More than a backend is likely to read at once, of the longest ids and access keys: those of `limits` of the engine. */
const MANY_LONG = 600;
const LONGEST_OID = 1_024;
const LONGEST_AUTHZ = 4_096;
const MEGABYTE = JSON.stringify('x'.repeat(1024 * 1024));

export function pageContract(test: StorageTest): void {
  test('operations between two server orders come in pages, in order', async ({ write }) => {
    const writer = await write();
    const rows = operations(MANY);
    await writer.commit({ operations: rows });
    const pages = await collect(writer.library.readOperations(10, MANY - 10));
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flat()).toEqual(rows.slice(10, MANY - 10));
    expect(await readAll(writer.library.readOperations(MANY, MANY + 5))).toEqual([]);
    expect(await readAll(writer.library.readOperations(5, 6))).toEqual([rows[5]]);
  });

  test('baselines come in pages, in oid order', async ({ write }) => {
    const writer = await write();
    const rows = Array.from({ length: MANY }, (_, index) =>
      baseline(`items/${index.toString().padStart(5, '0')}`),
    );
    await writer.commit({ baselines: [...rows].reverse() });
    const pages = await collect(writer.library.readBaselines());
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flat()).toEqual(rows);
    await expectBaselineTexts(writer.library, rows);
  });

  test('baselines told as they go over the wire are the same, short or long', async ({ write }) => {
    const writer = await write();
    const rows = Array.from({ length: MANY }, (_, index) =>
      baseline(`items/${index.toString().padStart(5, '0')}`, {
        snapshot: JSON.stringify({ text: 'é'.repeat(index % 7 === 0 ? index : 10) }),
        authz: index % 3 === 0 ? authz('u1:"\\') : null,
      }),
    );
    await writer.commit({ baselines: rows });
    await expectBaselineTexts(writer.library, rows);
  });

  test('operations told as they go over the wire are the same, short or long, from any order on', async ({
    write,
  }) => {
    const writer = await write();
    const rows = operations(MANY, (order) => ({
      oid: oid(`items/${order % 5 === 0 ? '"\\\u0000\ud800' : ''}${order}`),
      replicaId: replicaId(`replica-"${order % 3}`),
      data: JSON.stringify({ text: 'é'.repeat(order % 7 === 0 ? order : 10) }),
      authz: order % 3 === 0 ? authz('u1:"\\') : null,
    }));
    await writer.commit({ operations: rows });
    for (const after of [0, 1, 499, 500, 501, MANY - 1, MANY]) {
      await expectOperationTexts(writer.library, rows.slice(after), after);
    }
    // What was folded leaves gaps.
    const fold = rows.filter((_, index) => index % 4 < 2).map(({ order }) => order);
    await writer.commit({ fold });
    await expectOperationTexts(
      writer.library,
      rows.filter((_, index) => index % 4 >= 2),
    );
  });

  test('names and keys as long as the engine allows are told as they go over the wire, too', async ({
    write,
  }) => {
    const writer = await write();
    // In a row of one kind after the other: short text or long, public or private, quoted as it is or as six times as much.
    const rows = operations(MANY_LONG, (order) => {
      const name = ['a', '\u0001', 'é', '\u0000'][order % 4]!;
      return {
        oid: oid(`items/${String(order).padStart(5, '0')}${name.repeat(LONGEST_OID - 11)}`),
        authz: order % 3 === 0 ? null : authz((order % 3 === 1 ? 'k' : '\u0001').repeat(LONGEST_AUTHZ)),
        data: JSON.stringify({ text: 'x'.repeat(order % 5 === 0 ? 3_000 : 1_900) }),
      };
    });
    const baselines = rows.map((row) => baseline(row.oid, { snapshot: row.data, authz: row.authz }));
    for (let from = 0; from < MANY_LONG; from += 100) {
      await writer.commit({
        operations: rows.slice(from, from + 100),
        baselines: baselines.slice(from, from + 100),
      });
    }
    await expectOperationTexts(writer.library, rows);
    await expectBaselineTexts(writer.library, baselines);
  });

  test('a page is bounded in bytes too', async ({ write }) => {
    const writer = await write();
    const rows = operations(16, () => ({ data: MEGABYTE }));
    await writer.commit({
      operations: rows,
      baselines: rows.map((row) => baseline(`items/${row.order}`, { snapshot: MEGABYTE })),
    });
    for (const read of [
      () => writer.library.readOperations(0, 16),
      () => writer.library.readBaselines(),
      () => writer.library.readBaselineTexts?.() ?? writer.library.readBaselines(),
      () => writer.library.readOperationTexts?.(0, 16) ?? writer.library.readOperations(0, 16),
    ]) {
      const pages = await collect<unknown[]>(read());
      expect(pages.length).toBeGreaterThan(1);
      expect(pages.flat()).toHaveLength(16);
    }
  });

  test('commits go on while pages are read', async ({ write }) => {
    const writer = await write();
    const rows = operations(MANY);
    await writer.commit({ operations: rows, baselines: [baseline('items/1')] });
    const seen: unknown[] = [];
    for await (const page of writer.library.readOperations(0, MANY)) {
      seen.push(...page);
      await writer.commit({ operations: [operation(writer.head.order + 1)] });
    }
    expect(seen).toEqual(rows);
  });

  test('a reader that leaves early holds nothing up', async ({ write }) => {
    const writer = await write();
    await writer.commit({ operations: operations(MANY) });
    for await (const page of writer.library.readOperations(0, MANY)) {
      expect(page.length).toBeGreaterThan(0);
      break;
    }
    await writer.commit({ fold: [1, 2, 3] });
    await writer.evict();
    expect(await readAll(writer.library.readOperations(0, MANY))).toEqual([]);
  });
}
