import type { Measures } from './abused-server.js';
import type { Latencies } from './bystander-program.js';

const MIB = 1024 * 1024;
const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;

/** Memory and handles, before and after. */
export const memoryLine = (before: Measures, after: Measures): string =>
  `  heap ${mib(before.heapBytes)} → ${mib(after.heapBytes)}, outside it ${mib(before.externalBytes)} → ${mib(after.externalBytes)}, ` +
  `RSS ${mib(before.rssBytes)} → ${mib(after.rssBytes)}, handles ${before.handles} → ${after.handles}`;

/** How long bystanders waited for each other, by phase and pair. */
export const latencyLines = (latencies: Record<string, Latencies>): string[] =>
  Object.entries(latencies).map(
    ([name, { rounds, p50, p99, max }]) =>
      `  ${name.padEnd(24)} p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${max.toFixed(1)} ms (${rounds} rounds)`,
  );
