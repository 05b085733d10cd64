import type { Result } from '../results.js';
import type { UnitCosts } from './model.js';

/** What no work measures yet, or no result is kept of: single runs, of docs/performance.md. */
const TOLD: Partial<UnitCosts> = { objectTold: 3, socketKiB: 15, libraryKiB: 240 };

const COSTS = [
  'write',
  'delivery',
  'heartbeat',
  'flush',
  'objectTold',
  'socketKiB',
  'libraryKiB',
] as const satisfies (keyof UnitCosts)[];

/** Each cost as it was given; otherwise as it was measured; otherwise as it was told. */
export function costsIn(
  given: Partial<Record<keyof UnitCosts, string | undefined>>,
  readResult: (work: string) => Result | undefined,
): UnitCosts {
  const measured = measuredCosts(readResult);
  const costs = COSTS.map((cost) => {
    const value = given[cost] === undefined ? (measured[cost] ?? TOLD[cost]) : Number(given[cost]);
    if (value === undefined || Number.isNaN(value)) {
      throw new Error(
        `There is no result that tells ${cost}: pnpm bench capacity --save, or --${cost} <number>`,
      );
    }
    return [cost, value];
  });
  return Object.fromEntries(costs) as UnitCosts;
}

function measuredCosts(
  readResult: (work: string) => Result | undefined,
): Partial<Record<keyof UnitCosts, number | undefined>> {
  const ours = (work: string, name: string) =>
    readResult(work)?.cases.find((one) => one.name === name)?.figures.ours?.median;
  const objects = ours('first-sync', '10000 objects, socket');
  const socket = ours('rest', 'idle sockets');
  return {
    write: ours('capacity', 'write'),
    delivery: ours('capacity', 'delivery'),
    heartbeat: ours('capacity', 'heartbeat'),
    flush: ours('capacity', 'flush'),
    objectTold: objects && 1e6 / objects,
    socketKiB: socket && socket / 1024,
  };
}
