import { randomUUID } from 'node:crypto';

/*
 * Clients move their clock on to what they hear of, so that nothing is dated before what its author has acknowledged: only
 * a wrong clock makes a change late. Here all replicas of a process share what is latest, to the same effect.
 */
let latest = 0;
let counter = 0;

/** A hybrid logical clock as clients have it: schema version, milliseconds, counter, node. */
export function createClock(): () => string {
  const node = randomUUID().slice(0, 7);
  const digits = (value: number, length: number) => value.toString(36).padStart(length, '0');
  return () => {
    const now = Date.now();
    counter = now > latest ? 0 : counter + 1;
    latest = Math.max(now, latest);
    return digits(1, 4) + digits(latest, 9) + digits(counter, 4) + node;
  };
}
