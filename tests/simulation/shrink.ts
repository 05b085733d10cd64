import type { Outcome } from './outcome.js';
import type { Reduction } from './reduction.js';
import { runWorld } from './world.js';

/**
 * A smaller world that is broken as `broken` is, by the same rule: it ends earlier, has fewer replicas, fewer kinds of network faults,
 * and fewer actions. Runs at most `budget` worlds to find it.
 */
export async function shrink(broken: Outcome, budget = 150): Promise<Outcome> {
  const rule = ruleOf(broken);
  let smallest = broken;
  let left = budget;

  async function attempt(reduction: Reduction): Promise<boolean> {
    if (left-- <= 0) return false;
    const outcome = await runWorld(broken.seed, { reduction, kind: broken.kind });
    if (outcome.failures.length === 0 || ruleOf(outcome) !== rule) return false;
    smallest = outcome;
    return true;
  }

  const without = (...names: string[]): Reduction => ({
    ...smallest.reduction,
    without: new Set([...smallest.reduction.without, ...names]),
  });

  // Half of what is left of its time, as long as that is enough.
  let [low, high] = [0, broken.eventfulMs];
  for (let round = 0; round < 7; round++) {
    const untilMs = Math.round((low + high) / 2 / 100) * 100;
    if (await attempt({ ...smallest.reduction, untilMs })) high = untilMs;
    else low = untilMs;
  }
  for (const name of REPLICAS) await attempt(without(name));
  for (const name of Object.keys(smallest.faults)) await attempt(without(name));
  let size = Math.ceil(smallest.actions / 2);
  while (size >= 1 && left > 0) {
    for (let from = 0; from < smallest.actions && left > 0; from += size) {
      const names = Array.from({ length: size }, (_, index) => String(from + index));
      if (names.some((name) => !smallest.reduction.without.has(name))) await attempt(without(...names));
    }
    size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return smallest;
}

const REPLICAS = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'];

/** The name of the rule that was broken first. */
const ruleOf = ({ failures }: Outcome): string => /^\[[^\]]*\]/.exec(failures[0] ?? '')?.[0] ?? '';
