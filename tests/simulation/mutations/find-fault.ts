import { runWorld, type WorldOptions } from '../world.js';
import type { Found } from './found.js';

/** Runs the world of a seed with that engine; null: it holds. */
export async function lookInWorld(
  seed: number,
  { engine, kind = 'usual' }: Pick<WorldOptions, 'kind'> & Required<Pick<WorldOptions, 'engine'>>,
): Promise<Found | null> {
  const { failures } = await runWorld(seed, { engine, kind, traceLines: 1 });
  if (failures.length === 0) return null;
  return { seed, check: /^\[([^\]]*)\]/.exec(failures[0]!)?.[1] ?? failures[0]! };
}
