const EVERY_MS = 1;
const STALL_MS = 20;

/**
 * Watches for how long the event loop stands still, until the function returned is called, which tells. A timer is due
 * each millisecond; how late it comes is how long anything else would have waited.
 */
export function watchEventLoop() {
  const figures = { longestStallMs: 0, computingMs: 0, mostComputingMs: 0, stallsOver20Ms: 0 };
  let [at, cpu] = [performance.now(), process.cpuUsage()];
  const tick = () => {
    const used = process.cpuUsage(cpu);
    const stall = performance.now() - at - EVERY_MS;
    // Of all threads: what others collect of garbage beside the stall is no part of it.
    const computing = Math.min(stall, (used.user + used.system) / 1000);
    if (stall > figures.longestStallMs) {
      figures.longestStallMs = stall;
      figures.computingMs = computing;
    }
    figures.mostComputingMs = Math.max(figures.mostComputingMs, computing);
    if (stall > STALL_MS) figures.stallsOver20Ms++;
    [at, cpu] = [performance.now(), process.cpuUsage()];
    timer = setTimeout(tick, EVERY_MS);
  };
  let timer = setTimeout(tick, EVERY_MS);
  return () => {
    clearTimeout(timer);
    return figures;
  };
}
