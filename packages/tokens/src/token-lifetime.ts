const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A typing error such as a time in milliseconds should not make a token that outlives the app. */
const LONGEST_SECONDS = 100 * 366 * SECONDS_PER_UNIT.d!;

/**
 * Seconds of a token's lifetime.
 *
 * @param lifetime Whole seconds as a number, or a whole number with a unit: `'30s'`, `'15m'`, `'1h'`, `'1d'`, `'2w'`.
 *   A string without a unit is refused: some token libraries read it as milliseconds.
 * @throws {TypeError} Anything else, zero, or more than a hundred years.
 */
export const lifetimeInSeconds = (lifetime: number | string): number => {
  const seconds = typeof lifetime === 'string' ? parse(lifetime) : lifetime;
  if (!Number.isInteger(seconds) || seconds <= 0 || seconds > LONGEST_SECONDS) {
    throw new TypeError(
      `expiresIn must be a positive whole number of seconds or like '15m', '1h', '1d', '2w', ` +
        `and at most a hundred years; it is ${JSON.stringify(lifetime) ?? String(lifetime)}.`,
    );
  }
  return seconds;
};

const parse = (lifetime: string): number => {
  const [, amount, unit] = /^(\d{1,12})([smhdw])$/.exec(lifetime) ?? [];
  return amount && unit ? Number(amount) * SECONDS_PER_UNIT[unit]! : Number.NaN;
};
