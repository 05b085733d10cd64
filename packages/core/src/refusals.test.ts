import { describe, expect, test } from 'vitest';
import { Refusals } from './refusals.js';
import { VirtualScheduler } from './testing/virtual-scheduler.js';

/** How long this key is held when it is refused now, in ms of virtual time. */
async function held(refusals: Refusals, time: VirtualScheduler, key: string): Promise<number> {
  const since = time.now();
  let isHeld = true;
  refusals.hold(key, () => {
    isHeld = false;
  });
  while (isHeld) await time.pass(500);
  return time.now() - since;
}

describe('a refusal', () => {
  test('[REFUSE-4] [REFUSE-5] costs more each time for the same key, and nothing for another', async () => {
    const time = new VirtualScheduler();
    const refusals = new Refusals({ scheduler: time, maxHeld: 10 });
    for (const expected of [0, 1_000, 2_000, 4_000]) expect(await held(refusals, time, 'a')).toBe(expected);
    expect(await held(refusals, time, 'b')).toBe(0);
  });

  test('[REFUSE-7] is at once where as many are held as may be', async () => {
    const time = new VirtualScheduler();
    const refusals = new Refusals({ scheduler: time, maxHeld: 2 });
    const released: string[] = [];
    for (const key of ['a', 'b', 'c']) {
      refusals.hold(key, () => {});
      refusals.hold(key, () => released.push(key));
    }
    expect(released).toEqual(['c']);
    expect(refusals.held).toBe(2);
    await time.pass(1_000);
    expect(released).toEqual(['c', 'a', 'b']);
    expect(refusals.held).toBe(0);
  });

  test('[REFUSE-7] is not counted as held once its time is over, although its timer was dropped', async () => {
    const time = new VirtualScheduler();
    let drops = true;
    const scheduler = {
      now: () => time.now(),
      soon: (task: () => void) => time.soon(task),
      after: (ms: number, task: () => void) => (drops ? () => {} : time.after(ms, task)),
    };
    const refusals = new Refusals({ scheduler, maxHeld: 1 });
    for (let refusal = 0; refusal < 2; refusal++) refusals.hold('left', () => {});
    expect(refusals.held).toBe(1);
    drops = false;
    await time.pass(1_001);
    refusals.hold('stays', () => {});
    expect(await held(refusals, time, 'stays')).toBe(1_000);
  });

  test('[REFUSE-4] is held in memory where the process might leave it', async () => {
    const time = new VirtualScheduler();
    const waits: number[] = [];
    const scheduler = {
      now: () => time.now(),
      soon: (task: () => void) => time.soon(task),
      after: () => {
        throw new Error('It would sleep.');
      },
      afterInMemory: (ms: number, task: () => void) => {
        waits.push(ms);
        return time.after(ms, task);
      },
    };
    const refusals = new Refusals({ scheduler, maxHeld: 10 });
    for (let refusal = 0; refusal < 3; refusal++) await held(refusals, time, 'a');
    expect(waits).toEqual([1_000, 2_000]);
  });

  test('[REFUSE-8] is like the first again after a minute, or twice the last delay where that is longer', async () => {
    const time = new VirtualScheduler();
    const refusals = new Refusals({ scheduler: time, maxHeld: 10 });
    await held(refusals, time, 'a');
    expect(await held(refusals, time, 'a')).toBe(1_000);
    await time.pass(58_500);
    expect(await held(refusals, time, 'a')).toBe(2_000);
    await time.pass(60_000);
    expect(await held(refusals, time, 'a')).toBe(0);
    while ((await held(refusals, time, 'a')) < 60_000);
    // Counted from when it was refused, not from when it was let go.
    await time.pass(59_000);
    expect(await held(refusals, time, 'a')).toBe(60_000);
    await time.pass(61_000);
    expect(await held(refusals, time, 'a')).toBe(0);
  });
});
