import type { FanOutFigures } from '../load/fan-out-program.js';
import { summarize } from '../statistics.js';
import { runFanOut, saturate } from './fan-out.js';
import { type Case, profileOf, type RunOptions, ratios, type Work } from './work.js';

/** How long a change takes to others, where writes come at half the pace that ours can take at most. */
export const latency: Work = {
  name: 'latency',
  title: 'latency at half of that load',
  goal: 'p99 ≤ 2 × the floor’s p99',
  run: async (options) => {
    const cases: Case[] = [];
    for (const sockets of [2, 10, 50, 200]) cases.push(await runCase(sockets, options));
    return cases;
  },
};

async function runCase(sockets: number, options: RunOptions): Promise<Case> {
  const figures: Record<'ours' | 'floor', FanOutFigures[]> = { ours: [], floor: [] };
  // Once for all runs: each subject is to get the same pace.
  const most = await saturate('ours', sockets, options);
  const writesPerSecond = most.confirmed / most.seconds / 2;
  for (let run = 0; run < options.runs; run++) {
    for (const subject of ['ours', 'floor'] as const) {
      const profile = profileOf(options, 'latency', sockets, 'sockets', run + 1, subject);
      const told = await runFanOut(subject, profile, {
        sockets,
        writers: 2,
        window: 1,
        writesPerSecond,
        warmUpMs: 5_000 * options.scale,
        measureMs: 3_000 * options.scale,
      });
      figures[subject].push(told);
      const { p50, p99, max } = told.latencyMs;
      options.say(
        `${sockets} sockets, ${Math.round(writesPerSecond)} writes/s, run ${run + 1}, ${subject}: ` +
          `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, at most ${max.toFixed(1)} ms`,
      );
    }
  }
  const p99 = (subject: 'ours' | 'floor') => figures[subject].map(({ latencyMs }) => latencyMs.p99);
  return {
    name: `${sockets} sockets`,
    unit: 'ms, p99, from when a write was due until it arrived',
    figures: { ours: summarize(p99('ours')), floor: summarize(p99('floor')) },
    // The floor's by ours: as in all goals, more is better.
    goals: [
      { text: 'floor’s p99 by ours', atLeast: 0.5, measured: summarize(ratios(p99('floor'), p99('ours'))) },
    ],
    details: figures,
  };
}
