import type { UserId } from '@verdant-web/protocol';
import { expect, test } from 'vitest';
import { defaultLimits } from './limits.js';
import { VirtualScheduler } from './testing/virtual-scheduler.js';
import { UserBudgets } from './user-budgets.js';

test('[LIMIT-13] who sends nothing for a while is forgotten; who owes, or has something under way, is not', async () => {
  const time = new VirtualScheduler();
  const budgets = new UserBudgets(defaultLimits, time);
  const user = (n: number) => `user-${n}` as UserId;
  budgets.of(user(-1)).take(defaultLimits.maxMessagesPerSecondPerUser * 1_000, 0);
  budgets.of(user(-2)).hold(1);
  for (let n = 0; n < 100_000; n++) {
    budgets.of(user(n)).take(1, 100);
    if (n % 1_000 === 0) await time.pass(1_000);
  }
  expect(budgets.size).toBeLessThan(5_000);
  expect(budgets.of(user(-1)).waitMs).toBeGreaterThan(0);
  expect(budgets.of(user(-2)).hold(defaultLimits.maxUnfinishedBytesPerUser)).toBe(false);
});
