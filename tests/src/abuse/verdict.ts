import type { Measures } from './abused-server.js';
import type { Latencies } from './bystander-program.js';

const MIB = 1024 * 1024;
/**
 * Caches that have a bound stay: of 50,000 refusals, 50,000 profiles, and tokens. 30,000 users who come and go leave 37 MiB of
 * them, the most that was seen. What was kept of an attack, 1,000 frames of 200 MiB or 5,000 connections with a buffer, is beyond.
 */
const MAX_KEPT_BYTES = 64 * MIB;
/**
 * A round takes some ms, and as long as people do not notice on a machine that is shared. Before sockets took turns, others waited
 * for nine seconds.
 */
const MAX_P99_ELSEWHERE_MS = 1_000;

type Memory = Pick<Measures, 'heapBytes' | 'externalBytes'>;

/** What an attack cost beyond what it may: memory that is not given back, and the time of those whom it is not meant for. */
export function problemsOfCost(
  before: Memory,
  after: Memory,
  latencies: Record<string, Latencies>,
): string[] {
  const problems: string[] = [];
  const kept = after.heapBytes + after.externalBytes - before.heapBytes - before.externalBytes;
  if (kept > MAX_KEPT_BYTES)
    problems.push(`${(kept / MIB).toFixed(1)} MiB are kept, more than ${MAX_KEPT_BYTES / MIB}`);
  const elsewhere = latencies['during, elsewhere'];
  if (!elsewhere) problems.push('nobody elsewhere was looked at');
  else if (elsewhere.p99 > MAX_P99_ELSEWHERE_MS)
    problems.push(`p99 elsewhere was ${elsewhere.p99.toFixed(0)} ms, more than ${MAX_P99_ELSEWHERE_MS}`);
  return problems;
}
