import type { DiskKind } from './disk.js';
import type { Reduction } from './reduction.js';

/** What came of a world. */
export interface Outcome {
  seed: number;
  disk: DiskKind;
  /** What was left out of the world. */
  reduction: Reduction;
  /** Broken rules; empty: all is well. */
  failures: readonly string[];
  trace: readonly string[];
  operations: number;
  /** How often each kind of fault happened. */
  faults: Readonly<Record<string, number>>;
  /** Operations that were accepted although dated below an announced global ack. */
  late: number;
  /** Documents on which replicas, or the server, differ for no other reason than late operations. */
  explained: number;
  steps: number;
  virtualMinutes: number;
  /** How long things happened, in virtual ms, before the faults ended. */
  eventfulMs: number;
  /** How many actions were drawn. */
  actions: number;
}
