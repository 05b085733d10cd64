// What the servers here have in common: how they end, and that they tell how much memory they use.

/** Ends this process when it is told to, or when whoever started it is gone. Answers each line on stdin with its memory. */
export function endAsTold() {
  // So that node --cpu-prof writes what it has seen.
  process.once('SIGTERM', () => process.exit());
  process.stdin.once('end', () => process.exit());
  process.stdin.on('data', () => {
    // Twice: what only a finalizer lets go of goes with the second.
    for (let round = 0; round < 2; round++) globalThis.gc();
    console.log(JSON.stringify(process.memoryUsage()));
  });
}
