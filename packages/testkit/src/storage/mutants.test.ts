import type { Head, LibraryStorage, Storage } from '@verdant-web/core';
import { encodeBaseline, encodeOperation } from '@verdant-web/core/backend';
import { memoryStorage } from '@verdant-web/core/memory';
import type { LibraryId, Oid } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { contracts } from './contracts.js';
import { collect, readAll } from './dump.js';
import { fixtureOf, type StorageFixture } from './fixture.js';

/** A library as somebody might have got it wrong: what is given replaces methods of a right one. */
type Mutant = (right: LibraryStorage, id: LibraryId) => Partial<LibraryStorage>;

/** The suite is worth what it finds. Each of these mistakes has been made, or nearly, in a storage of somebody's. */
const mutants: Record<string, Mutant> = {
  'commits whatever the head is': (right) => ({
    async commit(change) {
      const { epoch = 0, version = 0 } = (await right.load(0))?.head ?? {};
      return right.commit({ ...change, expect: { epoch, version } });
    },
  }),
  'looks at the version alone': (right) => ({
    async commit(change) {
      const epoch = (await right.load(0))?.head.epoch ?? 0;
      return right.commit({ ...change, expect: { ...change.expect, epoch } });
    },
  }),
  'commits in two halves': (right) => ({
    async commit({ operations = [], adopt, ...change }) {
      if (adopt !== undefined) return right.commit({ ...change, operations, adopt });
      const result = await right.commit(change);
      const { epoch, version } = change.head;
      return result.ok ? right.commit({ expect: { epoch, version }, head: change.head, operations }) : result;
    },
  }),
  'passes over a server order that is taken': (right) => ({
    async commit(change) {
      const taken = (await readAll(right.readOperations(0, Infinity))).map((row) => row.order);
      return right.commit({
        ...change,
        operations: (change.operations ?? []).filter((row) => !taken.includes(row.order)),
      });
    },
  }),
  'forgets the keys of folded operations': (right) => ({
    async lookup(query) {
      const found = await right.lookup(query);
      const log = await readAll(right.readOperations(0, Infinity));
      const inLog = (key: (typeof found.keys)[number]) =>
        log.some((row) => row.oid === key.oid && row.timestamp === key.timestamp);
      return { ...found, keys: found.keys.filter(inLog) };
    },
  }),
  'reads a server order too many': (right) => ({
    readOperations: (after, through) => right.readOperations(after - 1, through),
  }),
  'reads to the end, whatever was asked': (right) => ({
    readOperations: (after) => right.readOperations(after, Infinity),
  }),
  'reads in pages of no bound': (right) => ({
    async *readOperations(after, through) {
      yield await readAll(right.readOperations(after, through));
    },
  }),
  'goes on reading after an eviction': (right) => ({
    async *readOperations(after, through) {
      yield* await collect(right.readOperations(after, through));
    },
  }),
  'leaves the key out where it tells a baseline': (right) => ({
    async *readBaselineTexts() {
      for await (const page of right.readBaselines()) {
        yield page.map((row) => ({ oid: row.oid, authz: null, text: encodeBaseline(row) }));
      }
    },
  }),
  'tells operations of the wrong author': (right) => ({
    async *readOperationTexts(after, through) {
      for await (const page of right.readOperations(after, through)) {
        yield page.map((row) => ({ ...row, replicaId: page[0]!.replicaId, text: encodeOperation(row) }));
      }
    },
  }),
  'takes items/10 for a part of items/1': (right) => ({
    async readDocument(root) {
      const baselines = (await readAll(right.readBaselines())).filter((row) => row.oid.startsWith(root));
      return { baselines, operations: (await right.readDocument(root)).operations };
    },
  }),
  'orders a document as it came': (right) => ({
    async readDocument(root) {
      const { baselines, operations } = await right.readDocument(root);
      return { baselines, operations: operations.sort((a, b) => a.order - b.order) };
    },
  }),
  'folds over an earlier operation that stays': (right) => ({
    async foldable({ after, through, before, limit }) {
      const log = await readAll(right.readOperations(after, through));
      const operations = log.filter((row) => row.timestamp < before).slice(0, limit);
      const baselines = (await readAll(right.readBaselines())).filter((row) =>
        operations.some((operation) => operation.oid === row.oid),
      );
      return { operations, baselines, next: null };
    },
  }),
  'folds what is excepted': (right) => ({
    foldable: ({ except: _, ...query }) => right.foldable(query),
  }),
  'never gets to the end of a fold': (right) => ({
    async foldable(query) {
      return { operations: [], baselines: [], next: (await right.foldable(query)).next ?? query.after };
    },
  }),
  'compares what it was given with the clock': (right) => ({
    load: async (activeSince) => right.load(Math.min(activeSince, Date.now() - 60_000)),
  }),
  'loses a lone surrogate': (right) => ({
    commit: (change) =>
      right.commit({
        ...change,
        replicas: (change.replicas ?? []).map((row) => ({ ...row, id: utf8(row.id) })),
      }),
  }),
  'ends a string at its first NUL': (right) => ({
    readFile: (id) => right.readFile(id.split('\0')[0]!),
  }),
  'normalizes Unicode': (right) => ({
    commit: (change) =>
      right.commit({
        ...change,
        baselines: (change.baselines ?? []).map((row) => ({
          ...row,
          oid: row.oid.normalize('NFC') as Oid,
        })),
      }),
  }),
  'cuts a large value': (right) => ({
    commit: (change) =>
      right.commit({
        ...change,
        operations: (change.operations ?? []).map((row) => ({ ...row, data: row.data.slice(0, 4_000_000) })),
      }),
  }),
  'keeps the rows that it was given': (right) => {
    const given = new Map<string, object>();
    return {
      commit(change) {
        for (const row of change.files ?? []) given.set(row.id, row);
        for (const row of change.operations ?? []) given.set(`operation ${row.order}`, row);
        return right.commit(change);
      },
      async *readOperations(after, through) {
        for await (const page of right.readOperations(after, through)) {
          yield page.map((row) => (given.get(`operation ${row.order}`) ?? row) as typeof row);
        }
      },
    };
  },
  'shows replicas of an evicted epoch': (right) => {
    let evicted: Awaited<ReturnType<LibraryStorage['readReplicas']>> = [];
    return {
      async evict(head: Head) {
        evicted = await right.readReplicas();
        await right.evict(head);
      },
      readReplicas: async () => [...(await right.readReplicas()), ...evicted],
    };
  },
  'forgets the files of an evicted epoch': () => ({ evictedFiles: async () => [] }),
  'starts an epoch again': (right) => ({
    async evict(head) {
      await right.evict(head).catch(() => {});
    },
  }),
  'shows what was staged': (right) => ({
    async stage(pages) {
      const kept = [];
      for await (const page of pages) kept.push(page);
      const { epoch = 0, version = 0, ...head } = (await right.load(0))?.head ?? ({} as Partial<Head>);
      await right.commit({
        expect: { epoch, version },
        head: { ...head, epoch, version } as Head,
        ...kept[0],
      });
      return right.stage(pagesAgain(kept));
    },
  }),
  'answers when it is closed': (right) => ({ close: async () => void right }),
};

test('the suite passes what is right', { timeout: 60_000 }, async () => {
  expect(await failureOf(() => ({}))).toBe(null);
});

test.each(Object.entries(mutants))(
  'the suite finds a storage that %s',
  { timeout: 60_000 },
  async (_, mutant) => {
    expect(await failureOf(mutant)).not.toBe(null);
  },
);

/** The first test of the suite that a storage of such libraries fails. */
async function failureOf(mutant: Mutant): Promise<string | null> {
  const create = async () => {
    const storage = mutated(memoryStorage(), mutant);
    const reopen = async () => {
      await storage.close();
      return storage;
    };
    return { storage, reopen, dispose: () => storage.close() };
  };
  const tests: { name: string; body: (fixture: StorageFixture) => Promise<void> }[] = [];
  for (const contract of Object.values(contracts)) {
    contract((name, body) => void tests.push({ name, body }), { name: 'mutant', durable: false, create });
  }
  for (const { name, body } of tests) {
    const underTest = await create();
    try {
      await body(fixtureOf(underTest));
    } catch {
      return name;
    } finally {
      await underTest.dispose();
    }
  }
  return null;
}

const mutated = (storage: Storage, mutant: Mutant): Storage => ({
  ...storage,
  async open(id) {
    const right = await storage.open(id);
    const wrong = mutant(right, id);
    return new Proxy(right, {
      get(target, name) {
        const replaced = wrong[name as keyof LibraryStorage];
        if (replaced) return replaced;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  },
});

async function* pagesAgain<Page>(pages: Page[]): AsyncIterable<Page> {
  yield* pages;
}

const utf8 = <Text extends string>(text: Text): Text =>
  new TextDecoder().decode(new TextEncoder().encode(text)) as Text;
