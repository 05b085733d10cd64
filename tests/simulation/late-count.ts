import { isZeroTimestamp, type Patch } from '@verdant-web/protocol';
import type { Checks } from './checks.js';
import type { SimulatedReplica } from './simulated-replica.js';

/** How often operations come later than others may have folded: by the clock of who writes them, and by patch. */
export interface LateCount {
  byClock: Record<string, { operations: number; late: number }>;
  byPatch: Partial<Record<Patch['op'], number>>;
}

export const noneLate = (): LateCount => ({ byClock: {}, byPatch: {} });

/** Counts in one world. */
export function countLate({ log, misdated }: Checks, replicas: readonly SimulatedReplica[]): LateCount {
  const count = noneLate();
  const clocks = new Map(replicas.map((replica) => [replica.id, clockOf(replica)]));
  const late = new Set(log.late);
  for (const accepted of log.stored) {
    const { id, replicaId, timestamp, patch } = accepted;
    const clock = misdated.has(id)
      ? 'dated by a hostile client'
      : isZeroTimestamp(timestamp)
        ? 'of a migration'
        : clocks.get(replicaId);
    // The server's own are of no device.
    if (clock === undefined) continue;
    const isLate = late.has(accepted);
    add(count, clock, { operations: 1, late: isLate ? 1 : 0 });
    if (isLate) count.byPatch[patch.op] = (count.byPatch[patch.op] ?? 0) + 1;
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

function clockOf({ skewMs, setBackMs }: SimulatedReplica): string {
  if (setBackMs > 0) return `clock set back by up to ${setBackMs <= 10_000 ? '10' : '55'} s`;
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
