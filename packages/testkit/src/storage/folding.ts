import type { FoldQuery, OperationRow } from '@verdant-web/core';
import { expect } from 'vitest';
import { readAll } from './dump.js';
import type { StorageTest } from './fixture.js';
import { Random } from './random.js';
import { at, baseline, oid, operation, operations, replicaId } from './rows.js';
import type { Writer } from './writer.js';

const SEEDS = 60;

export function foldingContract(test: StorageTest): void {
  test('an operation may be folded up to a server order and below a time', async ({ write }) => {
    const writer = await write();
    const rows = operations(5, (order) => ({ oid: oid(`items/${order}`) }));
    await writer.commit({ operations: rows, baselines: [baseline('items/2'), baseline('items/9')] });
    const found = await writer.library.foldable({ after: 1, through: 4, before: at(4), limit: 100 });
    expect(found).toEqual({ operations: [rows[1], rows[2]], baselines: [baseline('items/2')], next: null });
  });

  test('an operation waits for earlier ones of its object that have to stay', async ({ write }) => {
    const writer = await write();
    await writer.commit({
      operations: [
        operation(1, { timestamp: at(3) }),
        operation(2, { timestamp: at(1) }),
        operation(3, { timestamp: at(5), oid: oid('items/2') }),
        // Came late: it keeps what is later than it, and what has its own time not.
        operation(4, { timestamp: at(2) }),
        operation(5, { timestamp: at(5), oid: oid('items/2'), replicaId: replicaId('b') }),
      ],
    });
    const found = await writer.library.foldable({ after: 0, through: 3, before: at(9), limit: 100 });
    expect(found.operations.map((row) => row.order).sort()).toEqual([2, 3]);
  });

  test('operations come grouped by object, in timestamp order, from whichever server order', async ({
    write,
  }) => {
    const writer = await write();
    await writer.commit({
      operations: [
        operation(1, { timestamp: at(9), oid: oid('items/1') }),
        operation(2, { timestamp: at(2), oid: oid('items/2') }),
        operation(3, { timestamp: at(1), oid: oid('items/1') }),
        operation(4, { timestamp: at(1), oid: oid('items/2') }),
      ],
    });
    const found = await writer.library.foldable({ after: 0, through: 4, before: at(99), limit: 100 });
    expect(found.operations.map((row) => row.order)).toEqual([3, 1, 4, 2]);
  });

  test('objects that are excepted are passed over, and what is behind them is found', async ({ write }) => {
    const writer = await write();
    const rows = operations(40, (order) => ({ oid: oid(order > 36 ? 'items/other' : 'items/large') }));
    await writer.commit({ operations: rows, baselines: [baseline('items/large')] });
    const query = { after: 0, through: 40, before: at(99), limit: 5, except: [oid('items/large')] };
    const found = await writer.library.foldable(query);
    expect(found).toEqual({ operations: rows.slice(36), baselines: [], next: null });
  });

  test('one object with 20,000 operations is folded in many small steps', async ({ write }) => {
    const writer = await write();
    const total = 20_000;
    const rows = operations(total);
    await writer.commit({ operations: rows });
    await writer.commit({ operations: [operation(total + 1, { oid: oid('items/2'), timestamp: at(1) })] });
    const query = { after: 0, through: total + 1, before: at(total * 2), limit: 500 };
    const steps = await pass(writer, query);
    expect(steps).toBeGreaterThanOrEqual(total / 1000);
    expect(steps).toBeLessThan(total / 250);
    expect(await readAll(writer.library.readOperations(0, total + 1))).toEqual([]);
  });

  test(`what may be folded is what a naive model says (${SEEDS} random histories)`, async ({ write }) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = new Random(seed);
      const writer = await write(`seed-${seed}`);
      await writer.commit({ operations: randomLog(random) });
      for (let turn = 0; turn < 3; turn++) {
        await pass(writer, {
          after: 0,
          through: random.between(0, 70),
          before: at(random.between(0, 45)),
          limit: random.between(1, 12),
        });
      }
      await writer.library.close();
    }
  });
}

const randomLog = (random: Random): OperationRow[] =>
  operations(60, () => ({
    oid: oid(`items/${random.between(1, 6)}`),
    timestamp: at(random.between(1, 40)),
    replicaId: replicaId(random.pick(['a', 'b', 'c'])),
  }));

/** Folds whatever may be folded, as a rebase does, checking each step. Returns how many steps it took. */
async function pass(writer: Writer, query: FoldQuery): Promise<number> {
  const log = new Map(
    (await readAll(writer.library.readOperations(0, Infinity))).map((row) => [row.order, row]),
  );
  const mayFold = new Set(naive([...log.values()], query).map((row) => row.order));
  const snapshots = new Map((await readAll(writer.library.readBaselines())).map((row) => [row.oid, row]));
  let after = query.after;
  for (let steps = 1; ; steps++) {
    const found = await writer.library.foldable({ ...query, after });
    expect(found.operations.length).toBeLessThanOrEqual(2 * query.limit);
    const objects = [...new Set(found.operations.map((row) => row.oid))];
    for (const id of objects) assertPrefix(found.operations, log, id);
    expect(found.operations).toEqual(found.operations.map((row) => log.get(row.order)));
    expect(found.operations.filter((row) => !mayFold.delete(row.order))).toEqual([]);
    for (const row of found.operations) log.delete(row.order);
    expect([...found.baselines].sort(byOid)).toEqual(
      objects.flatMap((id) => snapshots.get(id) ?? []).sort(byOid),
    );
    const folded = objects.map((id) => baseline(id, { snapshot: JSON.stringify({ steps, after }) }));
    await writer.commit({ fold: found.operations.map((row) => row.order), baselines: folded });
    for (const row of folded) snapshots.set(row.oid, row);

    const looked = found.next ?? query.through;
    expect(looked).toBeGreaterThanOrEqual(after);
    expect([...mayFold].filter((order) => order > query.after && order <= looked)).toEqual([]);
    if (found.next === null) {
      expect([...mayFold]).toEqual([]);
      return steps;
    }
    // A step that neither finds anything nor gets on would never end.
    expect(found.operations.length > 0 || found.next > after).toBe(true);
    after = found.next;
  }
}

/** The returned operations of an object are its earliest ones, together and in order. */
function assertPrefix(found: OperationRow[], log: Map<number, OperationRow>, id: string): void {
  const returned = found.filter((row) => row.oid === id);
  const start = found.indexOf(returned[0]!);
  expect(found.slice(start, start + returned.length)).toEqual(returned);
  // Looking through the whole log for each step of a long one would take this test minutes.
  if (log.size > 1_000) return;
  const all = [...log.values()].filter((row) => row.oid === id).sort(byTime);
  expect(returned.map((row) => row.order)).toEqual(all.slice(0, returned.length).map((row) => row.order));
}

/** Straight from the contract's words. */
function naive(log: OperationRow[], { through, before }: FoldQuery): OperationRow[] {
  const may = (row: OperationRow): boolean => row.order <= through && row.timestamp < before;
  return log.filter(
    (row) =>
      may(row) &&
      (log.length > 1_000 ||
        log.every((other) => other.oid !== row.oid || other.timestamp >= row.timestamp || may(other))),
  );
}

const byOid = (a: { oid: string }, b: { oid: string }): number => (a.oid < b.oid ? -1 : 1);

const byTime = (a: OperationRow, b: OperationRow): number =>
  a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : a.order - b.order;
