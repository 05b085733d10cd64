import { isRoot, type Oid, rootOf } from '@verdant-web/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BaselineText } from '../storage/storage.js';
import { childrenFirst } from './children-first.js';

const row = (oid: string, refs: readonly string[] = [], size = 0): BaselineText => ({
  oid: oid as Oid,
  text: JSON.stringify({
    oid,
    snapshot: { text: 'x'.repeat(size), list: refs.map((id) => ({ '@@type': 'ref', id })) },
  }),
  authz: null,
});

const inOidOrder = (rows: readonly BaselineText[]) =>
  [...rows].sort((a, b) => (a.oid < b.oid ? -1 : a.oid > b.oid ? 1 : 0));

async function ordered(rows: readonly BaselineText[], pageSize = 2): Promise<string[]> {
  async function* pages() {
    const sorted = inOidOrder(rows);
    for (let from = 0; from < sorted.length; from += pageSize) yield sorted.slice(from, from + pageSize);
  }
  const oids: string[] = [];
  for await (const page of childrenFirst(pages())) oids.push(...page.map(({ oid }) => oid));
  return oids;
}

test('what is nested comes before what it is nested in', async () => {
  const rows = [row('items/1', ['items/1:a']), row('items/1:a', ['items/1:b']), row('items/1:b')];
  expect(await ordered(rows)).toEqual(['items/1:b', 'items/1:a', 'items/1']);
});

test('a document whose id begins with that of another one comes between', async () => {
  const rows = [row('items/1'), row('items/1:a'), row('items/10'), row('items/10:a'), row('items/1a')];
  expect(await ordered(rows)).toEqual(['items/10:a', 'items/10', 'items/1:a', 'items/1a', 'items/1']);
});

test('refs that lead around, and to nothing, leave nothing out', async () => {
  const rows = [
    row('items/1', ['items/1:a', 'items/1:c']),
    row('items/1:a', ['items/1:b']),
    row('items/1:b', ['items/1']),
  ];
  expect((await ordered(rows)).sort()).toEqual(['items/1', 'items/1:a', 'items/1:b']);
});

test('a document too large to be held goes out as it comes, its root last', async () => {
  const nested = Array.from({ length: 10 }, (_, n) => row(`items/1:${n}`, [], 1024 * 1024));
  const oids = await ordered([row('items/1'), ...nested], 3);
  expect(oids).toHaveLength(11);
  expect(oids.at(-1)).toBe('items/1');
});

test('a chain as deep as a document is large', async () => {
  const depth = 20_000;
  const oid = (n: number) => (n === 0 ? 'items/1' : `items/1:${n.toString().padStart(6, '0')}`);
  const rows = Array.from({ length: depth }, (_, n) => row(oid(n), n + 1 < depth ? [oid(n + 1)] : []));
  expect(await ordered(rows, 1_000)).toEqual(rows.map(({ oid }) => oid).reverse());
});

test('whatever the ids: each row once, each object after its own, roots last', async () => {
  const key = fc.stringMatching(/^[01a.~-]{1,3}$/);
  const oids = fc.uniqueArray(
    fc.oneof(
      key.map((one) => `items/${one}`),
      fc.tuple(key, key).map(([one, nested]) => `items/${one}:${nested}`),
    ),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(oids, fc.integer({ min: 1, max: 5 }), async (ids, pageSize) => {
      const result = await ordered(
        ids.map((id) => row(id)),
        pageSize,
      );
      expect([...result].sort()).toEqual([...ids].sort());
      for (const [n, oid] of result.entries()) {
        if (!isRoot(oid as Oid)) continue;
        expect(result.slice(n + 1).filter((later) => rootOf(later as Oid) === oid)).toEqual([]);
      }
    }),
  );
});
