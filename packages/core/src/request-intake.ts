import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { UserBudget } from './user-budgets.js';

/** What a request keeps in memory, while it comes in and waits to be worked off. */
export interface RequestIntake {
  /**
   * So many bytes more are in memory, or will be. Throws `VerdantError` (5030) where the user's requests and sockets have
   * too much under way.
   */
  arrived(bytes: number): void;
  /** It was worked off, or is given up. */
  done(): void;
}

/** @param budget Of whoever sends it. */
export function requestIntake(budget: () => UserBudget): RequestIntake {
  let held = 0;
  return {
    arrived(bytes) {
      if (!budget().hold(bytes)) throw tooMuchUnderWay();
      held += bytes;
    },
    done() {
      budget().letGo(held);
      held = 0;
    },
  };
}

const tooMuchUnderWay = (): VerdantError =>
  new VerdantError(
    VerdantErrorCode.Busy,
    'This user has too much under way. Send this again when that has arrived.',
    { retryAfter: 10 },
  );
