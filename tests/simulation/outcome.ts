import type { DiskKind } from './disk.js';
import type { LateCount } from './late-count.js';
import type { Reduction } from './reduction.js';
import type { WorldKind } from './world-kind.js';

/** What came of a world. */
export interface Outcome {
  seed: number;
  kind: WorldKind;
  disk: DiskKind;
  /** What was left out of the world. */
  reduction: Reduction;
  /** Broken rules; empty: all is well. */
  failures: readonly string[];
  trace: readonly string[];
  operations: number;
  /** How often each kind of fault happened. */
  faults: Readonly<Record<string, number>>;
  late: LateCount;
  /** Documents in which devices have changes that they never offered. */
  explained: number;
  steps: number;
  virtualMinutes: number;
  /** How long things happened, in virtual ms, before the faults ended. */
  eventfulMs: number;
  /** How many actions were drawn. */
  actions: number;
}
