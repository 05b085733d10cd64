import { expect, it } from 'vitest';
import type { Outcome } from './outcome.js';
import { readReduction, replayCommand } from './reduction.js';
import { shrink } from './shrink.js';
import { addOutcome, describeTotals, noTotals } from './totals.js';
import { runWorld } from './world.js';
import { worldKind } from './world-kind.js';

/*
 * One seed is one world. `SEED=123` runs that one, with a long trace; `UNTIL` and `WITHOUT` leave things out of it (reduction.ts), `KIND`
 * makes it one of another kind (world-kind.ts).
 * `SEEDS=5000` runs as many, `FROM=1000` begins there, and `BAIL=1` ends with the first that is broken.
 */
const { SEED, KIND, UNTIL, WITHOUT, SEEDS, FROM, TRACE, BAIL } = process.env;
const TRACE_LINES = Number(TRACE ?? (SEED === undefined ? 60 : 400));

if (SEED !== undefined) {
  it(`world ${SEED} holds`, async () => {
    const outcome = await runWorld(Number(SEED), {
      traceLines: TRACE_LINES,
      kind: worldKind(KIND ?? 'usual'),
      reduction: readReduction(UNTIL, WITHOUT),
    });
    console.log(summary([outcome]));
    expect(report(outcome)).toBe('');
  });
} else {
  it.each(['memory', 'a file for each library', 'one file for all'])(
    'a world is determined by its seed: %s',
    async (disk) => {
      for (let seed = 1; ; seed++) {
        const once = await runWorld(seed);
        if (once.disk === disk) return expect(await runWorld(seed)).toEqual(once);
      }
    },
  );

  it('worlds hold where the process is taken from memory again and again, and its sockets stay', {
    timeout: 600_000,
  }, async () => {
    const outcomes: Outcome[] = [];
    for (let seed = 1; seed <= 60; seed++) {
      outcomes.push(await runWorld(seed, { traceLines: TRACE_LINES, kind: 'hibernating' }));
    }
    expect(outcomes.map(report).filter(Boolean)[0] ?? '').toBe('');
    expect(outcomes.reduce((sum, { faults }) => sum + (faults.hibernation ?? 0), 0)).toBeGreaterThan(500);
  });

  it.each([
    ['clocks-set-back', 'clock set back'],
    ['hostile-dates', 'dated by a hostile client'],
  ] as const)('worlds hold where dates are wrong: %s', { timeout: 600_000 }, async (kind, author) => {
    const totals = noTotals();
    for (let seed = 1; seed <= 50; seed++) {
      const outcome = await runWorld(seed, { traceLines: TRACE_LINES, kind });
      expect(report(outcome)).toBe('');
      addOutcome(totals, outcome);
    }
    const late = Object.entries(totals.late.byClock).filter(([clock]) => clock.startsWith(author));
    expect(late.reduce((sum, [, counted]) => sum + counted.late, 0)).toBeGreaterThan(100);
  });

  it('worlds hold', { timeout: 3_600_000 }, async () => {
    const from = Number(FROM ?? 1);
    const outcomes: Outcome[] = [];
    for (let seed = from; seed < from + Number(SEEDS ?? 500); seed++) {
      const outcome = await runWorld(seed, { traceLines: TRACE_LINES });
      outcomes.push(outcome);
      if (BAIL !== undefined && outcome.failures.length > 0) break;
    }
    console.log(summary(outcomes));
    const broken = outcomes.filter(({ failures }) => failures.length > 0);
    for (const outcome of broken) {
      console.log(`${replayCommand(outcome)}\n  ${outcome.failures[0]?.slice(0, 200)}`);
    }
    const [first] = broken;
    if (!first) {
      // What devices never offer is rare: were it not, something would keep them from it.
      const explained = outcomes.reduce((sum, outcome) => sum + outcome.explained, 0);
      expect(explained).toBeLessThanOrEqual(outcomes.length / 100);
      return;
    }
    // One is made small and shown in full; each has its command.
    const { seed, reduction } = await shrink(first);
    expect(report(await runWorld(seed, { reduction, traceLines: 400 }))).toBe('');
  });
}

function report(outcome: Outcome): string {
  const { seed, failures, trace } = outcome;
  if (failures.length === 0) return '';
  return [
    `World ${seed} is broken. Replay it, from the repository's root:`,
    `  ${replayCommand(outcome)}`,
    ...trace,
    ...failures.slice(0, 20),
  ].join('\n');
}

function summary(outcomes: readonly Outcome[]): string {
  const totals = noTotals();
  for (const outcome of outcomes) addOutcome(totals, outcome);
  return describeTotals(totals);
}
