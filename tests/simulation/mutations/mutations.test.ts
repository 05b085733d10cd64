import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { plant } from './fault.js';
import { faults } from './faults.js';
import { engineWith } from './faulty-engine.js';
import { lookInWorld } from './find-fault.js';
import { readFound } from './found.js';
import { PAGE, withPlantedFaults } from './planted-faults-page.js';
import { unfound } from './unfound.js';

/*
 * A simulation that finds nothing proves nothing. Faults that somebody might make are planted in the engine, one at a
 * time, and each has to break the world in which it was found.
 */
const found = readFound();
const names = faults.map(({ name }) => name);
const ANEW = 'Run: pnpm simulate:mutations --record';

test('each fault has a name of its own, and is found in a world or said to be found by a test', () => {
  expect(new Set(names).size).toBe(names.length);
  const told = [...Object.keys(found), ...unfound.map(({ name }) => name)];
  expect(told.sort(), ANEW).toEqual([...names].sort());
});

test('each fault can be planted', () => {
  for (const fault of faults) expect(() => plant(fault)).not.toThrow();
});

test('docs/reliability.md has the table of faults', () => {
  const page = readFileSync(PAGE, 'utf8');
  expect(page, ANEW).toBe(withPlantedFaults(page, found));
});

test('without a fault, an engine that is built in the same way breaks none of these worlds', async () => {
  const engine = await engineWith(null);
  const looked = new Set<string>();
  for (const { name, kind = 'usual' } of faults) {
    const seed = found[name]?.seed;
    const world = `${kind} ${seed}`;
    if (seed === undefined || looked.has(world)) continue;
    looked.add(world);
    expect(await lookInWorld(seed, { engine, kind }), world).toBeNull();
  }
});

describe('a world is broken by a server that', () => {
  const planted = faults.filter(({ name }) => name in found);
  test.each(planted)('$name', async (fault) => {
    const { seed } = found[fault.name]!;
    const where = await lookInWorld(seed, { ...fault, engine: await engineWith(fault) });
    expect(where, `World ${seed} does not find this fault any more. ${ANEW}`).not.toBeNull();
  });
});
