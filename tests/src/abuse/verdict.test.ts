import { expect, test } from 'vitest';
import { problemsOfCost } from './verdict.js';

const MIB = 1024 * 1024;
const before = { heapBytes: 14 * MIB, externalBytes: 4 * MIB };
const elsewhere = (p99: number) => ({ 'during, elsewhere': { rounds: 100, p50: 2, p99, max: p99 } });

test('an attack may cost caches, and moments', () => {
  expect(problemsOfCost(before, { ...before, heapBytes: 51 * MIB }, elsewhere(60))).toEqual([]);
});

test.each([
  ['heap is kept', { ...before, heapBytes: 80 * MIB }, elsewhere(60)],
  ['buffers are kept', { ...before, externalBytes: 70 * MIB }, elsewhere(60)],
  ['others elsewhere wait', before, elsewhere(1_001)],
  ['nobody elsewhere got anything', before, {}],
])('it fails where %s', (_, after, latencies) => {
  expect(problemsOfCost(before, after, latencies)).toHaveLength(1);
});
