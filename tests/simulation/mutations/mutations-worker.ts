import { faults } from './faults.js';
import { engineWith } from './faulty-engine.js';
import { lookInWorld } from './find-fault.js';
import type { Found } from './found.js';

/** Look for a fault in the worlds of these seeds, one after the other. */
export interface ToWorker {
  name: string;
  seeds: readonly number[];
}

/** `looked`: a world holds. `ended`: one does not, or (null) all of them hold. */
export type FromWorker = { type: 'looked' } | { type: 'ended'; found: Found | null };

const send = (message: FromWorker) => process.send?.(message);

process.on('message', async ({ name, seeds }: ToWorker) => {
  const fault = faults.find((other) => other.name === name)!;
  const engine = await engineWith(fault);
  for (const seed of seeds) {
    const found = await lookInWorld(seed, { ...fault, engine });
    if (found) return send({ type: 'ended', found });
    send({ type: 'looked' });
  }
  send({ type: 'ended', found: null });
});
