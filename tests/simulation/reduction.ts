import type { Outcome } from './outcome.js';

/** What is left out of a world, so that what goes wrong in it can be seen better. */
export interface Reduction {
  /** Nothing happens from then on, in virtual ms from the start; undefined: as the seed says. */
  readonly untilMs?: number | undefined;
  /** Replicas (`r2`) that never open, actions by their number, and kinds of network faults that do not happen. */
  readonly without: ReadonlySet<string>;
}

export const NOTHING_REDUCED: Reduction = { without: new Set() };

/**
 * Reads `UNTIL`, in seconds, and `WITHOUT`: names with commas between, where `3-7` is each action from 3 to 7.
 *
 * @example
 * ```ts
 * readReduction('61.5', 'r2,3-7,request lost');
 * ```
 */
export function readReduction(until: string | undefined, without: string | undefined): Reduction {
  const names = new Set<string>();
  for (const part of (without ?? '').split(',')) {
    const [, first, last] = /^(\d+)-(\d+)$/.exec(part) ?? [];
    if (first === undefined) names.add(part);
    else for (let number = Number(first); number <= Number(last); number++) names.add(String(number));
  }
  names.delete('');
  return { untilMs: until === undefined ? undefined : Number(until) * 1000, without: names };
}

/** The command that runs a world again, with what was left out of it. */
export function replayCommand({
  seed,
  kind,
  reduction: { untilMs, without },
}: Pick<Outcome, 'seed' | 'kind' | 'reduction'>): string {
  const variables = [`SEED=${seed}`];
  if (kind !== 'usual') variables.push(`KIND=${kind}`);
  if (untilMs !== undefined) variables.push(`UNTIL=${untilMs / 1000}`);
  if (without.size > 0) variables.push(`WITHOUT='${describe(without)}'`);
  return `${variables.join(' ')} npx vitest run --project system tests/simulation`;
}

function describe(without: ReadonlySet<string>): string {
  const names = [...without].filter((name) => !/^\d+$/.test(name)).sort();
  const numbers = [...without].filter((name) => /^\d+$/.test(name)).map(Number);
  let from: number | null = null;
  for (const number of numbers.sort((a, b) => a - b)) {
    from ??= number;
    if (without.has(String(number + 1))) continue;
    names.push(from === number ? `${number}` : `${from}-${number}`);
    from = null;
  }
  return names.join(',');
}
