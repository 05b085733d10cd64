import type { Case, Goal } from './work.js';

/** A unit of the larger may take a fifth longer. */
const AS_CHEAP = 1 / 1.2;

/** Cases of growing size, with a goal added to all but the first: each unit costs ours hardly more than there. */
export function withGrowth([smallest, ...larger]: Case[]): Case[] {
  if (!smallest) return [];
  return [smallest, ...larger.map((one) => ({ ...one, goals: [...one.goals, goalOf(one, smallest)] }))];
}

/** Of what ours does in a processor second. The two were not measured at the same time. */
function goalOf({ figures: { ours } }: Case, { figures: { ours: before } }: Case): Goal {
  return {
    text: 'of the rate with the smallest',
    atLeast: AS_CHEAP,
    measured: {
      median: ours!.median / before!.median,
      least: ours!.least / before!.most,
      most: ours!.most / before!.least,
    },
  };
}
