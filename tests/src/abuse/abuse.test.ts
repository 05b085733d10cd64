import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { attacked, startTarget, stopTarget, type Target } from './run.js';
import { scenarios } from './scenarios.js';

/* Each attack of `pnpm abuse`, small. What is held here is what it leaves behind: figures are for the command. */
const SMALL = { scale: 0.02, ms: 200 };
/**
 * Of an attack that the server has been through once, so that all is loaded and compiled: 0.6 MiB is the most that was seen. It is passed
 * where 20 connections leave 100 KiB each, or 400 libraries 5 KiB.
 */
const MAX_GROWTH_BYTES = 2_000_000;

let target: Target;
beforeAll(async () => {
  target = await startTarget();
}, 90_000);
afterAll(() => target && stopTarget(target));

/** A server that pings as seldom as it does would have one of them take minutes; one that pings often would cut off the others. */
const PINGED_OFTEN = { pingIntervalMs: 2_000 };

test.each(Object.entries(scenarios))(
  '[REFUSE-3] a server lives through %s, and lets go of all',
  async (name, scenario) => {
    const waitsForPings = name === 'vanished peers';
    const attackedOne = waitsForPings ? await startTarget(PINGED_OFTEN) : target;
    if (waitsForPings) onTestFinished(() => stopTarget(attackedOne));
    await attacked(attackedOne, scenario, SMALL);
    const { before, after } = await attacked(attackedOne, scenario, SMALL);
    expect((await attackedOne.server.log()).errors).toEqual([]);
    expect(after.heapBytes - before.heapBytes).toBeLessThan(MAX_GROWTH_BYTES);
    expect(after.externalBytes - before.externalBytes).toBeLessThan(MAX_GROWTH_BYTES);
  },
  120_000,
);

test('[REFUSE-3] meanwhile others went on, and missed nothing', async () => {
  const { problems, latencies } = await target.bystanders.finish();
  expect(problems).toEqual([]);
  expect(latencies['during, same library']?.rounds).toBeGreaterThan(0);
  expect(latencies['during, elsewhere']?.rounds).toBeGreaterThan(0);
  expect(target.server.death).toBeUndefined();
}, 180_000);
