import { join } from 'node:path';
import {
  emptyHead,
  type Head,
  type LibraryChange,
  type LibraryStorage,
  type OperationKey,
  type OperationRow,
} from '@verdant-web/core';
import { memoryStorage } from '@verdant-web/core/memory';
import type { LibraryId, Oid, ReplicaId, Timestamp } from '@verdant-web/protocol';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { sqlStorage } from './index.js';
import { temporaryDirectory } from './testing/temporary.js';

const LIBRARY = 'library' as LibraryId;
const at = (time: number) => `0001${time.toString(36).padStart(9, '0')}0000node-01` as Timestamp;

/** So many operations, from the n-th object on, all as late as this one, on three objects or on forty. */
interface Write {
  count: number;
  first: number;
  late: number;
  objects: number;
}
type Step = { write: Write } | { fold: number } | { wait: true } | { reopen: true };

const write: fc.Arbitrary<Step> = fc.record({
  write: fc.record({
    count: fc.integer({ min: 1, max: 900 }),
    first: fc.nat(40),
    late: fc.oneof(fc.constant(0), fc.nat(2_000)),
    objects: fc.constantFrom(3, 40),
  }),
});
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: write },
    // What share of the log is to be folded, in percent.
    { weight: 2, arbitrary: fc.record({ fold: fc.nat(100) }) },
    { weight: 2, arbitrary: fc.record({ wait: fc.constant(true as const) }) },
    { weight: 1, arbitrary: fc.record({ reopen: fc.constant(true as const) }) },
  ),
  { minLength: 5, maxLength: 13 },
);

/** Written several times, with waits between, some of it gets into the table for sure. */
const MUCH: Step = { write: { count: 900, first: 0, late: 0, objects: 40 } };

test('[WORK-5] whatever part of the index by object is in memory, it finds what a backend without any finds', async () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => now.mockRestore());
  let indexed = 0;
  await fc.assert(
    fc.asyncProperty(write, steps, async (first, rest) => {
      const database = join(temporaryDirectory(), 'verdant.sqlite');
      const pair = await Pair.open(database);
      for (const step of [first, ...rest]) {
        if ('write' in step) await pair.write(step.write);
        else if ('fold' in step) await pair.fold(step.fold);
        else if ('reopen' in step) await pair.reopen();
        else now.mockReturnValue(performance.now() + 6_000);
        await pair.compare();
      }
      indexed += await pair.close();
    }),
    { numRuns: 25, examples: [[MUCH, [MUCH, { wait: true }, MUCH, { wait: true }, MUCH, { fold: 50 }]]] },
  );
  // Else the table was never asked.
  expect(indexed).toBeGreaterThan(0);
}, 60_000);

/** A library in SQLite, and the same one in memory. */
class Pair {
  readonly #path: string;
  #sql: LibraryStorage;
  readonly #plain: LibraryStorage;
  #storage: ReturnType<typeof sqlStorage>;
  #head: Head = emptyHead;
  #time = 10_000;

  private constructor(
    path: string,
    storage: ReturnType<typeof sqlStorage>,
    sql: LibraryStorage,
    plain: LibraryStorage,
  ) {
    this.#path = path;
    this.#storage = storage;
    this.#sql = sql;
    this.#plain = plain;
  }

  static async open(path: string): Promise<Pair> {
    const storage = sqlStorage({ databaseFile: path });
    return new Pair(path, storage, await storage.open(LIBRARY), await memoryStorage().open(LIBRARY));
  }

  async write({ count, first, late, objects }: Write): Promise<void> {
    const operations: OperationRow[] = [];
    for (let i = 0; i < count; i++) {
      operations.push({
        order: this.#head.order + 1 + i,
        replicaId: `replica-${i % 3}` as ReplicaId,
        oid: `items/${(first + i) % objects}${i % 5 === 0 ? ':nested' : ''}` as Oid,
        timestamp: at(Math.max(0, this.#time++ - late)),
        data: '{"op":"touch"}',
        authz: null,
      });
    }
    await this.#commit({ operations }, { order: this.#head.order + count });
  }

  /** As a rebase does, until nothing more is found. */
  async fold(percent: number): Promise<void> {
    const log = await this.#log();
    const through = log[Math.floor((log.length * percent) / 100)]?.order ?? 0;
    const before = at(this.#time - 10);
    const expected = naive(log, through, before);
    const found: number[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const answer = await this.#sql.foldable({ after, through, before, limit: 300 });
      const fold = answer.operations.map(({ order }) => order);
      expect(answer.operations).toEqual(fold.map((order) => log.find((row) => row.order === order)));
      if (fold.length > 0) await this.#commit({ fold }, {});
      found.push(...fold);
      after = fold.length > 0 ? after : answer.next;
    }
    expect(found.sort((a, b) => a - b)).toEqual(expected);
  }

  async reopen(): Promise<void> {
    await this.#storage.close();
    this.#storage = sqlStorage({ databaseFile: this.#path });
    this.#sql = await this.#storage.open(LIBRARY);
  }

  async compare(): Promise<void> {
    const log = await this.#log();
    const keys: OperationKey[] = log.filter((_, i) => i % 97 === 0);
    const missing = keys.map((key) => ({ ...key, timestamp: at(1) }));
    for (const root of ['items/1', 'items/2'] as Oid[]) {
      expect(await this.#sql.readDocument(root)).toEqual(await this.#plain.readDocument(root));
      const lookup = { keys: [...keys, ...missing], replicas: [], access: [], objects: [root] };
      expect(await this.#sql.lookup(lookup)).toEqual(await this.#plain.lookup(lookup));
    }
  }

  /** How many operations ever got into the table: more than none, or none. */
  async close(): Promise<number> {
    await this.#storage.close();
    const db = new Database(this.#path, { readonly: true });
    const through = db.prepare('SELECT max(indexed_through) FROM library').pluck().get() as number;
    const wrong = db.prepare(WRONG).pluck().get();
    db.close();
    expect(wrong).toBe(0);
    return through > 0 ? 1 : 0;
  }

  async #log(): Promise<OperationRow[]> {
    const log: OperationRow[] = [];
    for await (const page of this.#sql.readOperations(0, this.#head.order)) log.push(...page);
    return log;
  }

  async #commit(rows: Partial<LibraryChange>, changes: Partial<Head>): Promise<void> {
    const { epoch, version } = this.#head;
    const head = { ...this.#head, version: version + 1, founded: true, ...changes };
    for (const library of [this.#sql, this.#plain]) {
      expect(await library.commit({ expect: { epoch, version }, head, ...rows })).toEqual({ ok: true });
    }
    this.#head = head;
  }
}

/** Rows of the table without an operation, and operations that it should have. */
const WRONG = `
SELECT (SELECT count(*) FROM object_operation) - (
  SELECT count(*) FROM operation JOIN library ON operation.library = key
    JOIN object_operation AS object USING (library, oid, timestamp, server_order)
  WHERE operation.server_order <= indexed_through
) + (
  SELECT count(*) FROM operation JOIN library ON operation.library = key
  WHERE operation.server_order <= indexed_through AND NOT EXISTS (
    SELECT 1 FROM object_operation AS object
    WHERE object.library = operation.library AND object.server_order = operation.server_order
  )
)`;

/** Straight from the contract's words. */
function naive(log: readonly OperationRow[], through: number, before: Timestamp): number[] {
  const may = (row: OperationRow) => row.order <= through && row.timestamp < before;
  const held = new Map<Oid, Timestamp>();
  for (const row of log) {
    const earliest = held.get(row.oid);
    if (!may(row) && (earliest === undefined || row.timestamp < earliest)) held.set(row.oid, row.timestamp);
  }
  return log
    .filter((row) => may(row) && row.timestamp <= (held.get(row.oid) ?? row.timestamp))
    .map(({ order }) => order);
}
