// What the servers here have in common: how they end, and what they tell of themselves.
import { watchEventLoop } from './event-loop.mjs';

/** Ends this process when it is told to, or when whoever started it is gone. Answers what it is asked on stdin. */
export function endAsTold() {
  // So that node --cpu-prof writes what it has seen.
  process.once('SIGTERM', () => process.exit());
  process.stdin.once('end', () => process.exit());
  let stalls;
  process.stdin.on('data', (asked) => {
    const question = String(asked).trim();
    if (question === 'memory') console.log(JSON.stringify(memory()));
    if (question === 'watch') stalls = watchEventLoop();
    if (question === 'stalls') console.log(JSON.stringify(stalls()));
  });
}

const memory = () => {
  // Twice: what only a finalizer lets go of goes with the second.
  for (let round = 0; round < 2; round++) globalThis.gc();
  return process.memoryUsage();
};
