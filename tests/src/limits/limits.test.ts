import { readFileSync } from 'node:fs';
import { defaultLimits } from '@verdant-web/core';
import { describe, expect, test } from 'vitest';
import { composed } from '../wire-rules/servers.js';
import { limitRows, otherRows, type Row } from './rows.js';

/* Everything that is bounded, with one less than is allowed, as much as is allowed, and one more. */

const around = async ({ options, most, isTaken }: Row): Promise<boolean[]> => {
  const taken: boolean[] = [];
  await composed(options, async (app) => {
    for (const amount of [most - 1, most, most + 1]) taken.push(await isTaken(app, amount));
  });
  return taken;
};

const rows = { ...limitRows, ...otherRows };

test.each(Object.entries(rows))(
  '[LIMIT-15] [REFUSE-3] %s: one less, as much, and one more than is allowed',
  async (_, row) => {
    expect(await around(row)).toEqual([true, true, false]);
  },
  30_000,
);

describe('each of the limits', () => {
  test('has a row here', () => {
    expect(Object.keys(limitRows).sort()).toEqual(Object.keys(defaultLimits).sort());
  });

  test('is in docs/limits.md, with its default', () => {
    const page = readFileSync(new URL('../../../docs/limits.md', import.meta.url), 'utf8');
    const told = [...page.matchAll(/^\| `(max\w+)` \| ([^|]+) \| ([\d,.]+)(?: (Ki|Mi)\w*)? \|/gm)];
    const scale = { Ki: 1024, Mi: 1024 * 1024 };
    const defaults = told.map(([, name, , number, unit]) => [
      name,
      Number(number!.replaceAll(',', '')) * (unit ? scale[unit as keyof typeof scale] : 1),
    ]);
    expect(Object.fromEntries(defaults)).toMatchObject(defaultLimits);
  });
});
