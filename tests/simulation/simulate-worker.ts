import type { Outcome } from './outcome.js';
import { replayCommand } from './reduction.js';
import { shrink } from './shrink.js';
import { runWorld } from './world.js';
import type { WorldKind } from './world-kind.js';

/** Worlds of that kind, of the seeds from `from`, below `to`; none: the worker ends. */
export interface ToWorker {
  kind: WorldKind;
  from: number;
  to: number;
}

export type FromWorker = { type: 'ready' } | { type: 'outcome'; outcome: Outcome; replay: string };

const send = (message: FromWorker) => process.send?.(message);

process.on('message', async ({ kind, from, to }: ToWorker) => {
  if (from >= to) {
    process.disconnect?.();
    return;
  }
  for (let seed = from; seed < to; seed++) {
    const outcome = await runWorld(seed, { kind });
    const smallest = outcome.failures.length > 0 ? await shrink(outcome) : outcome;
    send({
      type: 'outcome',
      outcome: { ...outcome, trace: [] },
      replay: replayCommand(smallest),
    });
  }
  send({ type: 'ready' });
});
send({ type: 'ready' });
