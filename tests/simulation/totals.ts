import { addLate, describeLate, type LateCount, noneLate } from './late-count.js';
import type { Outcome } from './outcome.js';

/** What came of many worlds. */
export interface Totals {
  worlds: number;
  /** Of those, worlds whose storage was SQLite. */
  onSqlite: number;
  broken: number;
  virtualMinutes: number;
  steps: number;
  operations: number;
  /** How often each kind of fault happened. */
  faults: Record<string, number>;
  late: LateCount;
  explained: number;
}

export function noTotals(): Totals {
  return {
    worlds: 0,
    onSqlite: 0,
    broken: 0,
    virtualMinutes: 0,
    steps: 0,
    operations: 0,
    faults: {},
    late: noneLate(),
    explained: 0,
  };
}

/** Adds one world to the totals. */
export function addOutcome(totals: Totals, outcome: Outcome): void {
  totals.worlds++;
  if (outcome.disk !== 'memory') totals.onSqlite++;
  if (outcome.failures.length > 0) totals.broken++;
  totals.virtualMinutes += outcome.virtualMinutes;
  totals.steps += outcome.steps;
  totals.operations += outcome.operations;
  addLate(totals.late, outcome.late);
  totals.explained += outcome.explained;
  for (const [kind, count] of Object.entries(outcome.faults)) {
    totals.faults[kind] = (totals.faults[kind] ?? 0) + count;
  }
}

/** The totals in lines for a terminal. */
export function describeTotals(totals: Totals): string {
  const faults = Object.entries(totals.faults).sort(([, a], [, b]) => b - a);
  const count = (value: number) => Math.round(value).toLocaleString('en');
  return [
    `${count(totals.worlds)} worlds, ${count(totals.onSqlite)} of them on SQLite; ${(totals.virtualMinutes / 60).toFixed(1)} virtual hours, ${count(totals.steps)} steps`,
    `${count(totals.operations)} operations, ${count(faults.reduce((sum, [, n]) => sum + n, 0))} faults:`,
    ...faults.map(([kind, n]) => `  ${kind.padEnd(44)} ${count(n).padStart(11)}`),
    'Operations that came later than others may have folded:',
    ...describeLate(totals.late),
    `${count(totals.explained)} documents in which a device has a change that it never offered`,
    `${count(totals.broken)} broken`,
  ].join('\n');
}
