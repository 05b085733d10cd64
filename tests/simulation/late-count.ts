import { isZeroTimestamp, type Patch } from '@verdant-web/protocol';
import type { AcceptedLog } from './accepted-log.js';
import type { SimulatedReplica } from './simulated-replica.js';

/** How often operations come later than others may have folded: by the clock of who writes them, and by patch. */
export interface LateCount {
  byClock: Record<string, { operations: number; late: number }>;
  byPatch: Partial<Record<Patch['op'], number>>;
}

export const noneLate = (): LateCount => ({ byClock: {}, byPatch: {} });

/** Counts in one world. */
export function countLate(log: AcceptedLog, replicas: readonly SimulatedReplica[]): LateCount {
  const count = noneLate();
  for (const { id, skewMs } of replicas) {
    add(count, clockOf(skewMs), { operations: log.authors.get(id) ?? 0, late: 0 });
  }
  const skews = new Map(replicas.map(({ id, skewMs }) => [id, skewMs]));
  for (const { replicaId, timestamp, patch } of log.late) {
    const clock = isZeroTimestamp(timestamp) ? 'of a migration' : clockOf(skews.get(replicaId) ?? 0);
    add(count, clock, { operations: 0, late: 1 });
    count.byPatch[patch.op] = (count.byPatch[patch.op] ?? 0) + 1;
  }
  return count;
}

/** Adds what was counted in one world. */
export function addLate(totals: LateCount, { byClock, byPatch }: LateCount): void {
  for (const [clock, counted] of Object.entries(byClock)) add(totals, clock, counted);
  for (const [op, late] of Object.entries(byPatch) as [Patch['op'], number][]) {
    totals.byPatch[op] = (totals.byPatch[op] ?? 0) + late;
  }
}

/** Lines for a terminal. */
export function describeLate({ byClock, byPatch }: LateCount): string[] {
  const clocks = Object.entries(byClock).sort(([a], [b]) => (a < b ? -1 : 1));
  const patches = Object.entries(byPatch).sort(([, a], [, b]) => b - a);
  return [
    ...clocks.map(([clock, { operations, late }]) => `  ${clock.padEnd(44)} ${late} late of ${operations}`),
    `  ${patches.map(([op, late]) => `${op} ${late}`).join(', ')}`,
  ];
}

function clockOf(skewMs: number): string {
  if (skewMs === 0) return 'clock right';
  const by = Math.abs(skewMs) <= 10_000 ? 'up to 10 s' : 'more than 10 s';
  return `clock ${by} ${skewMs < 0 ? 'slow' : 'fast'}`;
}

function add(
  count: LateCount,
  clock: string,
  { operations, late }: { operations: number; late: number },
): void {
  count.byClock[clock] ??= { operations: 0, late: 0 };
  count.byClock[clock].operations += operations;
  count.byClock[clock].late += late;
}
