import { type Outcome, runWorld } from './world.js';

/** Seeds from `from`, below `to`; none: the worker ends. */
export interface ToWorker {
  from: number;
  to: number;
}

export type FromWorker = { type: 'ready' } | { type: 'outcome'; outcome: Outcome };

const send = (message: FromWorker) => process.send?.(message);

process.on('message', async ({ from, to }: ToWorker) => {
  if (from >= to) {
    process.disconnect?.();
    return;
  }
  for (let seed = from; seed < to; seed++) {
    const outcome = await runWorld(seed);
    send({ type: 'outcome', outcome: outcome.failures.length > 0 ? outcome : { ...outcome, trace: [] } });
  }
  send({ type: 'ready' });
});
send({ type: 'ready' });
