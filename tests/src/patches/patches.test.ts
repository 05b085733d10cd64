import { readFileSync } from 'node:fs';
import { applyPatch } from '@verdant-web/protocol';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ApplyPatch } from './compare-list.js';
import { decidedDifferences, memoryDifferences } from './decided-differences.js';
import { fuzzPatches } from './fuzz-patches.js';
import { mayComeIn } from './judge.js';
import { faults } from './report.js';

describe('patches against npm’s common, and what published clients compute', () => {
  // The references say there what they ignore.
  beforeAll(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined));
  afterAll(() => void vi.restoreAllMocks());

  test('[PATCH-1] every op on every kind of state: what differs is decided, and what is decided differs', () => {
    const findings = fuzzPatches({ seed: 1, lists: 6_000 });
    expect(faults(findings)).toEqual([]);
  });

  test('docs/compatibility.md has all that is decided', () => {
    const page = readFileSync(new URL('../../../docs/compatibility.md', import.meta.url), 'utf8');
    const decided = [...decidedDifferences, ...Object.values(memoryDifferences)];
    expect(decided.filter(({ name, rule }) => !page.includes(`| ${name} |`) || !page.includes(rule))).toEqual(
      [],
    );
  });

  test('what is thought to be refused at the door is, and other patches are not', () => {
    expect(mayComeIn({}, { op: 'touch' })).toBe(true);
    expect(mayComeIn([], { op: 'list-set', index: 3, value: 1 })).toBe(true);
    expect(mayComeIn([], { op: 'list-set', index: 0.5, value: 1 })).toBe(false);
    expect(mayComeIn('text' as never, { op: 'touch' })).toBe(false);
  });

  // Small ones: a run that does not see these sees nothing.
  const broken: Record<string, ApplyPatch> = {
    'a negative index that is taken as 0': (state, patch) =>
      applyPatch(state, 'index' in patch && patch.index < 0 ? ({ ...patch, index: 0 } as never) : patch),
    'a list-remove of all that removes the first': (state, patch) =>
      applyPatch(state, patch.op === 'list-remove' ? { ...patch, only: patch.only ?? 'first' } : patch),
    'a set that revives what was deleted': (state, patch) =>
      applyPatch(state === undefined && patch.op === 'set' ? {} : state, patch),
    'a falsy value that is not inserted': (state, patch) =>
      patch.op === 'list-insert' && !patch.value && !patch.values ? state : applyPatch(state, patch),
    'a move of an absent ref that moves nothing': (state, patch) =>
      patch.op === 'list-move-by-ref' && !JSON.stringify(state ?? null).includes(`"${patch.value?.id}"`)
        ? state
        : applyPatch(state, patch),
  };

  test.each(Object.keys(broken))('the run finds %s', (fault) => {
    const { undecided } = fuzzPatches({ seed: 1, lists: 500, apply: broken[fault] as ApplyPatch });
    expect(undecided).not.toEqual([]);
  });
});
