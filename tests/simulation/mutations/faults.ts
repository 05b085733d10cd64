import { accessFaults } from './access-faults.js';
import type { Fault } from './fault.js';
import { foldingFaults } from './folding-faults.js';
import { lateFaults } from './late-faults.js';
import { operationFaults } from './operation-faults.js';
import { proofFaults } from './proof-faults.js';
import { syncFaults } from './sync-faults.js';

/** Every fault that is planted. */
export const faults: readonly Fault[] = [
  ...syncFaults,
  ...operationFaults,
  ...proofFaults,
  ...foldingFaults,
  ...accessFaults,
  ...lateFaults,
];
