import type { LibraryChange, LibraryStorage, OperationRow, ReplicaRow } from '@verdant-web/core';
import { emptyRows, type LibraryRows, rowsAfter, rowsAfterEviction } from '@verdant-web/core/backend';
import type { LibraryId, ReplicaId, Timestamp } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { readAll } from './dump.js';
import type { StorageTest } from './fixture.js';
import { Random } from './random.js';
import { at, baseline, head, keyOf, NO_QUERY, oid, operation, replica, replicaId } from './rows.js';

const SEEDS = 12;
const STEPS = 60;
const AUTHORS = ['ana', 'bob', 'cem'].map(replicaId);
const ID = 'library' as LibraryId;

/** Changes as the engine makes them, in random order: a storage that treats some of them apart must not show it. */
export function historyContract(test: StorageTest): void {
  for (let seed = 1; seed <= SEEDS; seed++) {
    test(`history ${seed} of changes as the engine makes them`, async ({ storage, reopen }) => {
      const random = new Random(seed);
      const history = new History(random);
      let library = await storage.open(ID);
      for (let step = 0; step < STEPS; step++) {
        if (random.between(1, 12) === 1) library = await (await reopen()).open(ID);
        if (random.between(1, 20) === 1 && history.rows.head.version > 0) await history.evict(library);
        else await history.commit(library);
        if (random.between(1, 3) === 1) await expectRows(library, history.rows);
      }
      await expectRows(await (await reopen()).open(ID), history.rows);
    });
  }
}

class History {
  rows: LibraryRows = emptyRows;
  #moment = 10;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  async commit(library: LibraryStorage): Promise<void> {
    const change = this.#next();
    if (this.#random.between(1, 8) === 1) {
      const expected = { ...change.expect, version: change.expect.version + this.#random.pick([-1, 1]) };
      const conflict = { ok: false, conflict: this.rows.head };
      expect(await library.commit({ ...change, expect: expected })).toEqual(conflict);
    }
    expect(await library.commit(change)).toEqual({ ok: true });
    this.rows = rowsAfter(this.rows, change);
  }

  async evict(library: LibraryStorage): Promise<void> {
    const next = head({ epoch: this.rows.head.epoch + 1, version: 0 });
    await library.evict(next);
    this.rows = rowsAfterEviction(this.rows, next);
  }

  #next(): LibraryChange {
    const { head: now, operations, baselines, replicas } = this.rows;
    const base = { expect: { epoch: now.epoch, version: now.version } };
    const next = { ...now, version: now.version + 1 };
    const kind = this.#random.between(1, 20);
    if (kind <= 14) return { ...base, ...this.#written() };
    if (kind === 15) return { ...base, head: { ...next, announcedAck: at(this.#moment) } };
    if (kind === 16)
      return { ...base, head: now, replicas: [this.#acknowledged(this.#random.pick(AUTHORS))] };
    if (kind === 17 && replicas.length > 0) {
      return { ...base, head: next, removeReplicas: [this.#random.pick(replicas).id] };
    }
    const folded = operations.slice(0, this.#random.between(0, operations.length));
    const last = folded.at(-1);
    if (!last) return { ...base, head: next };
    const put = baseline(last.oid, { timestamp: last.timestamp });
    const added = baselines.some((row) => row.oid === put.oid) ? 0 : 1;
    return {
      ...base,
      head: {
        ...next,
        foldedThrough: last.order,
        operations: now.operations - folded.length,
        baselines: now.baselines + added,
      },
      fold: folded.map(({ order }) => order),
      baselines: [put],
    };
  }

  /** What one author or two have written, and at times what somebody has acknowledged besides. */
  #written(): Omit<LibraryChange, 'expect'> {
    const { head: now } = this.rows;
    const random = this.#random;
    const authors = random.between(1, 5) === 1 ? AUTHORS.slice(0, 2) : [random.pick(AUTHORS)];
    const operations: OperationRow[] = [];
    for (let count = random.between(1, 3); count > 0; count--) {
      const isLate = random.between(1, 6) === 1;
      operations.push(
        operation(now.order + operations.length + 1, {
          replicaId: random.pick(authors),
          oid: oid(`items/${random.between(1, 4)}`),
          timestamp: at(isLate ? this.#moment - random.between(0, 9) : ++this.#moment),
        }),
      );
    }
    const order = now.order + operations.length;
    const rows = authors.map((author) => this.#afterWriting(author, operations, order));
    if (random.between(1, 6) === 1) rows.push(this.#acknowledged(replicaId('dee')));
    // The server writes, too, and is no replica.
    const replicas = random.between(1, 10) === 1 ? [] : rows;
    const latest = latestOf(now.latest, operations);
    return {
      head: {
        ...now,
        version: now.version + 1,
        founded: true,
        order,
        latest,
        horizon: random.between(1, 10) === 1 ? latest : now.horizon,
        operations: now.operations + operations.length,
      },
      operations,
      replicas,
    };
  }

  #afterWriting(id: ReplicaId, operations: readonly OperationRow[], order: number): ReplicaRow {
    const random = this.#random;
    const row = this.#row(id);
    const own = operations.filter(({ replicaId }) => replicaId === id);
    const written = latestOf(row.writtenThrough, own);
    return {
      ...row,
      ackedOrder: random.between(1, 3) === 1 ? row.ackedOrder : order,
      ackedTime: random.between(1, 8) === 1 ? row.ackedTime : latestOf(row.ackedTime, own),
      writtenThrough: written,
      lastSeen: random.between(1, 8) === 1 ? row.lastSeen + 1 : row.lastSeen,
      pending:
        random.between(1, 8) === 1 ? [{ timestamp: at(1), order, reset: false, late: false }] : row.pending,
    };
  }

  #acknowledged(id: ReplicaId): ReplicaRow {
    const row = this.#row(id);
    return { ...row, ackedOrder: this.rows.head.order, ackedTime: at(this.#moment) };
  }

  #row(id: ReplicaId): ReplicaRow {
    return this.rows.replicas.find((row) => row.id === id) ?? replica(id);
  }
}

const latestOf = (before: Timestamp | null, operations: readonly OperationRow[]): Timestamp | null =>
  operations.reduce(
    (latest, { timestamp }) => (latest === null || timestamp > latest ? timestamp : latest),
    before,
  );

async function expectRows(library: LibraryStorage, rows: LibraryRows): Promise<void> {
  const replicas = [...rows.replicas].sort(byId);
  const loaded = await library.load(0);
  expect(loaded?.head ?? null).toEqual(loaded === null ? null : rows.head);
  expect([...(loaded?.replicas ?? [])].sort(byId)).toEqual(replicas);
  expect([...(await library.readReplicas())].sort(byId)).toEqual(replicas);
  expect(await readAll(library.readOperations(0, Number.MAX_SAFE_INTEGER))).toEqual(rows.operations);
  const keys = [...rows.operations.map(keyOf), ...rows.foldedKeys];
  const found = await library.lookup({ ...NO_QUERY, keys, replicas: replicas.map(({ id }) => id) });
  expect(found.keys).toHaveLength(keys.length);
  expect([...found.replicas].sort(byId)).toEqual(replicas);
}

const byId = (one: ReplicaRow, other: ReplicaRow) => (one.id < other.id ? -1 : 1);
