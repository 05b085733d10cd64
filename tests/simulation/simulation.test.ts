import { describe, expect, it } from 'vitest';
import { knownSeeds } from './known-seeds.js';
import { addOutcome, describeTotals, noTotals } from './totals.js';
import { type Outcome, runWorld } from './world.js';

/*
 * One seed is one world. `SEED=123` runs that one, with a long trace; `SEEDS=5000` runs as many, `FROM=1000` begins there,
 * and `BAIL=1` ends with the first that is broken.
 */
const { SEED, SEEDS, FROM, TRACE, BAIL } = process.env;
const TRACE_LINES = Number(TRACE ?? (SEED === undefined ? 60 : 400));

if (SEED !== undefined) {
  it(`world ${SEED} holds`, async () => {
    const outcome = await runWorld(Number(SEED), { traceLines: TRACE_LINES });
    console.log(summary([outcome]));
    expect(report(outcome)).toBe('');
  });
} else {
  describe('worlds that were broken once', () => {
    for (const { seed, what } of knownSeeds) {
      it(`${seed}: ${what}`, async () => {
        expect(report(await runWorld(seed, { traceLines: TRACE_LINES }))).toBe('');
      });
    }
  });

  it('a world is determined by its seed', async () => {
    const [once, again] = [await runWorld(7), await runWorld(7)];
    expect(again).toEqual(once);
  });

  it('worlds hold', { timeout: 3_600_000 }, async () => {
    const first = Number(FROM ?? 1);
    const outcomes: Outcome[] = [];
    for (let seed = first; seed < first + Number(SEEDS ?? 500); seed++) {
      const outcome = await runWorld(seed, { traceLines: TRACE_LINES });
      outcomes.push(outcome);
      if (BAIL !== undefined && outcome.failures.length > 0) break;
    }
    console.log(summary(outcomes));
    const broken = outcomes.filter(({ failures }) => failures.length > 0);
    for (const { seed, failures } of broken) console.log(`seed ${seed}: ${failures[0]?.slice(0, 200)}`);
    // One is shown in full; each has its command.
    expect(broken.slice(0, 1).map(report).join('')).toBe('');
  });
}

function report({ seed, failures, trace }: Outcome): string {
  if (failures.length === 0) return '';
  return [
    `World ${seed} is broken. Replay it, from the repository's root:`,
    `  SEED=${seed} npx vitest run --project system tests/simulation`,
    ...trace,
    ...failures.slice(0, 20),
  ].join('\n');
}

function summary(outcomes: readonly Outcome[]): string {
  const totals = noTotals();
  for (const outcome of outcomes) addOutcome(totals, outcome);
  return describeTotals(totals);
}
