import type { Transport } from '../clients/driver.js';
import type { StorageKind } from './server-target.js';

/** What a scenario may run on. `mixed`: devices of both generations in turn, the first of them 3.6.3. */
export const axes = {
  generation: ['3', '5', 'mixed'],
  transport: ['socket', 'http', 'auto'] satisfies Transport[],
  runtime: ['node', 'chromium'],
  storage: ['memory', 'sharded', 'unified', 'workerd'] satisfies StorageKind[],
} as const;

export type Axis = keyof typeof axes;
export type Combination = { [A in Axis]: (typeof axes)[A][number] };

/** `5 socket chromium sharded`: as a test's name has it, and as `MATRIX` takes it. */
export const label = ({ generation, transport, runtime, storage }: Combination): string =>
  `${generation} ${transport} ${runtime} ${storage}`;

/** The full product, in the order of the axes. */
export const allCombinations: readonly Combination[] = axes.generation.flatMap((generation) =>
  axes.transport.flatMap((transport) =>
    axes.runtime.flatMap((runtime) =>
      axes.storage.map((storage) => ({ generation, transport, runtime, storage })),
    ),
  ),
);
