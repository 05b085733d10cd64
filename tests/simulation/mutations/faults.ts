import type { Fault } from './fault.js';
import { lateFaults } from './late-faults.js';
import { syncFaults } from './sync-faults.js';

/** Every fault that is planted. */
export const faults: readonly Fault[] = [...syncFaults, ...lateFaults];
