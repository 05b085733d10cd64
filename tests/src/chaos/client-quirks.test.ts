import type { Oid } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import type { WireEntry, WireMessage } from '../clients/wire-log.js';
import { type Difference, type Evidence, quirkOf } from './client-quirks.js';
import type { Baseline, Operation } from './ledger.js';

const ROOT = 'items/1';

const at = (moment: number) => `0001${moment.toString(36).padStart(9, '0')}0000node-01`;
const baseline = (moment: number, title: string) =>
  ({ oid: ROOT as Oid, timestamp: at(moment), snapshot: { title } }) as Baseline;
const set = (moment: number, name: string, value: string) =>
  ({ oid: ROOT as Oid, timestamp: at(moment), data: { op: 'set', name, value } }) as Operation;
const entry =
  (direction: WireEntry['direction']) =>
  (message: Record<string, unknown>): WireEntry => ({
    direction,
    transport: 'socket',
    message: message as unknown as WireMessage,
  });
const [sent, received] = [entry('sent'), entry('received')];

/** A client was reset, was told of a change, and founded the library without it, as it would had it folded too early. */
const FOUNDED: WireEntry[] = [
  sent({ type: 'sync', timestamp: at(1), since: null, operations: [], baselines: [] }),
  received({
    type: 'sync-resp',
    ackedTimestamp: at(1),
    overwriteLocalData: true,
    baselines: [baseline(1, 'a')],
    operations: [],
  }),
  received({ type: 'op-re', operations: [set(2, 'title', 'b')] }),
  sent({ type: 'sync', timestamp: at(5), since: null, operations: [], baselines: [baseline(4, 'a')] }),
  received({
    type: 'sync-resp',
    ackedTimestamp: at(5),
    overwriteLocalData: false,
    baselines: [],
    operations: [],
  }),
  received({ type: 'op-re', operations: [set(6, 'color', 'red')] }),
];

const evidence = (entries: WireEntry[], findable = [ROOT]): Evidence => ({
  generation: '3.6.3',
  entries,
  made: [],
  database: { baselines: [], operations: [] },
  findable: new Set(findable),
});
const difference = (shown: object | undefined, others: object | undefined): Difference => {
  const text = others && JSON.stringify(others);
  return { root: ROOT, shown: shown && JSON.stringify(shown), stored: text, expected: text, told: text };
};

test('who founded with less than it was told shows what it was told, and nothing else is excused by that', () => {
  const held = { color: 'red', title: 'a' };
  expect(quirkOf(difference({ color: 'red', title: 'b' }, held), evidence(FOUNDED))).toBe('folded too early');
  expect(quirkOf(difference({ color: 'red', title: 'c' }, held), evidence(FOUNDED))).toBe(undefined);
  expect(quirkOf(difference(undefined, held), evidence(FOUNDED))).toBe(undefined);
  // Somebody else founded it.
  const others = FOUNDED.filter(({ message }) => message.timestamp !== at(5));
  expect(quirkOf(difference({ color: 'red', title: 'b' }, held), evidence(others))).toBe(undefined);
});

test('a document that no message tells of was not offered; one that the client was told of is not excused', () => {
  const kept = { ...difference(undefined, undefined), stored: '{"title":"mine"}' };
  expect(quirkOf(kept, evidence([]))).toBe('not offered');
  expect(quirkOf(kept, evidence(FOUNDED))).toBe(undefined);
  const offered = sent({ type: 'op', timestamp: at(3), operations: [set(3, 'title', 'mine')] });
  expect(quirkOf(kept, evidence([offered]))).toBe(undefined);
  const leftWithoutIt = sent({ type: 'sync', timestamp: at(4), since: at(2), operations: [], baselines: [] });
  expect(quirkOf(kept, evidence([leftWithoutIt, offered]))).toBe('not offered');
});

test('nothing excuses a client that the server owes something', () => {
  const owed = { ...difference({ title: 'b' }, { title: 'a' }), told: '{"title":"b"}' };
  expect(quirkOf(owed, evidence(FOUNDED))).toBe(undefined);
});

test('a document that the client stored, and its queries cannot find, is hidden from them', () => {
  const hidden = difference(undefined, { title: 'b' });
  expect(quirkOf(hidden, evidence(FOUNDED, []))).toBe('hidden from queries');
  expect(quirkOf({ ...hidden, stored: undefined }, evidence(FOUNDED, []))).toBe(undefined);
  expect(quirkOf(hidden, evidence(FOUNDED))).toBe(undefined);
});
