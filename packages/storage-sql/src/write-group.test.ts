import { expect, test } from 'vitest';
import { SqlDatabase } from './database.js';
import type { SqlDriver } from './driver.js';
import { WriteGroup } from './write-group.js';

/** A driver that only counts transactions, and fails to begin or commit when told to. */
class CountingDriver implements SqlDriver {
  commits = 0;
  fail: 'begin' | 'commit' | null = null;
  #depth = 0;

  transaction<T>(work: () => T): T {
    if (this.#depth === 0 && this.fail === 'begin') throw new Error('cannot begin');
    this.#depth++;
    try {
      const result = work();
      if (this.#depth === 1) {
        if (this.fail === 'commit') throw new Error('disk full');
        this.commits++;
      }
      return result;
    } finally {
      this.#depth--;
    }
  }

  prepare(): never {
    throw new Error('not used');
  }

  exec(): void {}

  releaseSpace(): boolean {
    return false;
  }
}

function setUp() {
  const driver = new CountingDriver();
  const flushes: (() => void)[] = [];
  const group = new WriteGroup(new SqlDatabase(driver), (flush) => void flushes.push(flush));
  return { driver, group, flushes, flush: () => flushes.shift()?.() };
}

test('what is asked for before the flush shares one transaction, and resolves after its commit', async () => {
  const { driver, group, flush } = setUp();
  const commitsSeen: Promise<number>[] = [];
  for (let index = 0; index < 50; index++)
    commitsSeen.push(group.write(() => index).then(() => driver.commits));
  expect(driver.commits).toBe(0);
  flush();
  expect(await Promise.all(commitsSeen)).toEqual(Array.from({ length: 50 }, () => 1));
});

test('work that throws fails alone', async () => {
  const { driver, group, flush } = setUp();
  const results = Promise.allSettled([
    group.write(() => 'one'),
    group.write(() => {
      throw new Error('mine');
    }),
    group.write(() => 'three'),
  ]);
  flush();
  expect(await results).toMatchObject([{ value: 'one' }, { reason: new Error('mine') }, { value: 'three' }]);
  expect(driver.commits).toBe(1);
});

test.each(['begin', 'commit'] as const)(
  'where the transaction fails to %s, all of it fails, and the next is tried',
  async (when) => {
    const { driver, group, flush } = setUp();
    driver.fail = when;
    const results = Promise.allSettled([group.write(() => 1), group.write(() => 2)]);
    flush();
    expect((await results).map((result) => result.status)).toEqual(['rejected', 'rejected']);
    driver.fail = null;
    const next = group.write(() => 3);
    flush();
    expect(await next).toBe(3);
  },
);

test('a queue that takes long is committed in parts, each followed by a turn for others', async () => {
  const { driver, group, flush, flushes } = setUp();
  const busy = (ms: number) => () => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  const all = Promise.all([1, 2, 3].map(() => group.write(busy(25))));
  for (let commits = 1; commits <= 3; commits++) {
    flush();
    expect(driver.commits).toBe(commits);
  }
  await all;
  expect(flushes).toHaveLength(0);
});

test('everything that waits can be committed at once', async () => {
  const { driver, group, flush } = setUp();
  const write = group.write(() => 1);
  group.flushAll();
  expect(await write).toBe(1);
  flush();
  expect(driver.commits).toBe(1);
});
