import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** Milliseconds until it fails. */
  deadline?: number;
  /** Says, when it failed, what was there instead: the only clue that a log of a failed run holds. */
  describe?: () => unknown;
}

const POLL_MS = 15;
/** What takes longer is asked for less often: on a machine that is busy, asking is what keeps it so. */
const MAX_POLL_MS = 100;

/**
 * Resolves with the first truthy value of `condition`; rejects at the deadline.
 * A condition that throws counts as "not yet", so that an assertion can be a condition, and its message is shown.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { deadline = 10_000, describe }: WaitOptions = {},
): Promise<NonNullable<T>> {
  const end = Date.now() + deadline;
  let refusal: unknown;
  let poll = POLL_MS;
  for (;;) {
    const asked = Date.now();
    try {
      const value = await condition();
      if (value) return value as NonNullable<T>;
      refusal = undefined;
    } catch (error) {
      refusal = error;
    }
    if (Date.now() >= end) break;
    // What is long to answer, as on a page with hundreds of documents, is asked half of the time at most.
    await pause(Math.max(poll, Date.now() - asked));
    poll = Math.min(poll * 1.2, MAX_POLL_MS);
  }
  const seen = describe ? await describe() : undefined;
  const clues = [
    `not within ${deadline} ms`,
    refusal instanceof Error ? refusal.message : undefined,
    typeof seen === 'string' || seen === undefined ? seen : JSON.stringify(seen, null, 2),
  ];
  throw new Error(clues.filter((clue) => clue !== undefined).join('\n'));
}

/** For what must *not* happen: fails as soon as `condition` is true within `duration`. */
export async function never(condition: () => unknown, duration: number, describe: string): Promise<void> {
  const end = Date.now() + duration;
  while (Date.now() < end) {
    if (await condition()) throw new Error(describe);
    await pause(POLL_MS);
  }
}
