import { setTimeout as pause } from 'node:timers/promises';

/** How long anything may be under way. Usually it is a fraction of a second. */
const DEADLINE_MS = 10_000;

/**
 * Waits until `condition` holds.
 *
 * @throws An error that says what did not come to be, once that has taken too long.
 */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Not within ${DEADLINE_MS / 1_000} s: ${what}.`);
    await pause(20);
  }
}
