import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FewSeenKeys, ManySeenKeys } from './seen-keys.js';

it('tells keys that come twice, as hashes do and where hashes collide', () => {
  const keys = fc.array(
    fc.oneof(fc.string({ maxLength: 2 }), fc.integer({ max: 5_000, min: 0 }).map(String)),
    {
      maxLength: 3_000,
    },
  );
  const weak = (key: string) => key.length + 1;
  fc.assert(
    fc.property(keys, (list) => {
      const few = new FewSeenKeys();
      const expected = list.map((key) => few.add(key));
      for (const hash of [undefined, weak]) {
        const many = new ManySeenKeys(() => list, hash);
        expect(list.map((key) => many.add(key))).toEqual(expected);
      }
    }),
    { numRuns: 200 },
  );
});

it('remembers many without their text', () => {
  let reread = 0;
  const many = new ManySeenKeys(() => {
    reread++;
    return [];
  });
  const added = Array.from({ length: 200_000 }, (_, index) =>
    many.add(`0001${index.toString(36)}\nitems/${index}`),
  );
  expect(added.every(Boolean)).toBe(true);
  expect(reread).toBe(0);
});
