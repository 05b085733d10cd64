import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Axis, allCombinations, axes, type Combination } from './axes.js';
import { pairwise } from './pairwise.js';
import { isCostly } from './selection.js';

const axisNames = Object.keys(axes) as Axis[];
const valuesIn = (rows: readonly Combination[], axis: Axis) => new Set(rows.map((row) => row[axis]));

test('each scenario meets every value of every axis, in as few combinations as that takes', () => {
  fc.assert(
    fc.property(fc.string(), (scenario) => {
      const selection = pairwise(allCombinations, scenario);
      for (const axis of axisNames)
        expect([...valuesIn(selection, axis)].sort()).toEqual([...axes[axis]].sort());
      expect(selection).toHaveLength(Math.max(...axisNames.map((axis) => axes[axis].length)));
    }),
  );
});

test('where combinations are missing, it meets the values that are left, and nothing else is selected', () => {
  fc.assert(
    fc.property(fc.subarray([...allCombinations]), fc.string(), (rows, scenario) => {
      const selection = pairwise(rows, scenario);
      for (const axis of axisNames) expect(valuesIn(selection, axis)).toEqual(valuesIn(rows, axis));
      for (const row of selection) expect(rows).toContain(row);
    }),
  );
});

test('every two values of different axes meet in some scenario', () => {
  const scenarios = Array.from({ length: 40 }, (_, n) => `subject: scenario ${n}`);
  const selection = scenarios.flatMap((scenario) => pairwise(allCombinations, scenario, isCostly));
  const pairs = (rows: readonly Combination[]) =>
    new Set(rows.flatMap((row) => axisNames.flatMap((a) => axisNames.map((b) => `${row[a]} ${row[b]}`))));
  expect(pairs(selection)).toEqual(pairs(allCombinations));
});

test('a browser is started for one combination of each scenario', () => {
  fc.assert(
    fc.property(fc.string(), (scenario) => {
      expect(pairwise(allCombinations, scenario, isCostly).filter(isCostly)).toHaveLength(1);
    }),
  );
});

test('the same scenario is given the same, another one another', () => {
  expect(pairwise(allCombinations, 'undo')).toEqual(pairwise(allCombinations, 'undo'));
  const scenarios = Array.from({ length: 200 }, (_, n) => `scenario ${n}`);
  const selected = new Set(scenarios.flatMap((scenario) => pairwise(allCombinations, scenario)));
  expect(selected.size).toBe(allCombinations.length);
});
