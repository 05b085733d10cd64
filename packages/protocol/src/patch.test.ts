import { applyPatch as typedReferencePatch } from '@verdant-web/common';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  applyOperations,
  applyPatch,
  maxListGap,
  type Patch,
  type PlainObject,
  type PlainValue,
  releasedFiles,
} from './patch.js';
import { fileIdsIn } from './ref.js';

// 2.3.1's types know fewer patches and stricter values than its code takes.
const referencePatch = typedReferencePatch as (state: unknown, patch: unknown) => unknown;

const ref = (id: string) => ({ '@@type': 'ref' as const, id });
const file = (id: string) => ({ '@@type': 'file' as const, id });

/** What survives the wire: `undefined` is dropped from objects and null in lists. */
const onWire = <T>(value: T): T => (value === undefined ? value : JSON.parse(JSON.stringify(value)));

/** What clients compute, one patch at a time, as if each result were stored and read again. */
function reference(state: PlainObject | undefined, patch: Patch): PlainObject | undefined {
  const base = onWire(state);
  if (patch.op !== 'list-set') return onWire(referencePatch(base, onWire(patch))) as PlainObject | undefined;
  // Newer than the reference; 5.5 assigns the item, and does nothing to what is no list.
  if (!Array.isArray(base)) return base;
  return onWire(referencePatch(base, { op: 'set', name: patch.index, value: patch.value })) as PlainObject;
}

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
};

// Object and file references have ids of their own, as 2.3.1 compares by id alone.
const objectRef = fc.constantFrom('o/1:a', 'o/1:b', 'o/1:c').map(ref);
const fileRef = fc.constantFrom('file-1', 'file-2').map(file);
const primitive = fc.constantFrom<PlainValue>(0, 1, -1, 1.5, '', 'x', 'y', true, false, null);
const value: fc.Arbitrary<PlainValue> = fc.oneof(primitive, primitive, objectRef, fileRef);
const maybeMissing = fc.option(value, { nil: undefined, freq: 8 });
const name = fc.constantFrom<string | number>(
  'a',
  'b',
  'c',
  '',
  '0',
  '01',
  '1.5',
  '-1',
  'constructor',
  'toString',
  0,
  2,
  12,
);
const index = fc.oneof(fc.integer({ min: -12, max: 12 }), fc.constantFrom(1e9, -1e9, 2 ** 40, 1.5, -0));
const smallIndex = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.constantFrom(1.5, -0));

const list = fc.array(value, { maxLength: 8 });
const object = fc.dictionary(fc.constantFrom('a', 'b', 'c', '', '0', 'constructor', 'toString'), value);
const snapshot: fc.Arbitrary<PlainObject> = fc.oneof(list, object);
const state = fc.option(snapshot, { nil: undefined, freq: 10 });

const patch: fc.Arbitrary<Patch> = fc.oneof(
  fc.record({ op: fc.constant('initialize' as const), value: snapshot }),
  fc.record({ op: fc.constant('set' as const), name, value: maybeMissing }) as fc.Arbitrary<Patch>,
  fc.record({ op: fc.constant('remove' as const), name }),
  fc.record({
    op: fc.constant('list-set' as const),
    index: smallIndex,
    value: maybeMissing,
  }) as fc.Arbitrary<Patch>,
  fc.record({ op: fc.constant('list-push' as const), value: maybeMissing }) as fc.Arbitrary<Patch>,
  fc.record({ op: fc.constant('list-insert' as const), index, value }),
  fc.record({ op: fc.constant('list-insert' as const), index, values: list }),
  fc.record({ op: fc.constant('list-delete' as const), index, count: index }),
  fc.record({ op: fc.constant('list-move-by-index' as const), from: index, to: index }),
  fc.record({ op: fc.constant('list-move-by-ref' as const), value: fc.oneof(objectRef, fileRef), index }),
  fc.record(
    {
      op: fc.constant('list-remove' as const),
      value: fc.oneof(primitive, objectRef),
      only: fc.constantFrom('first' as const, 'last' as const),
    },
    { requiredKeys: ['op', 'value'] },
  ),
  fc.record({ op: fc.constant('list-add' as const), value: fc.oneof(primitive, objectRef, fileRef) }),
  fc.record({ op: fc.constant('delete' as const) }),
  fc.record({ op: fc.constant('touch' as const) }),
);

/** Where the reference throws, so that there is nothing to compare with. Each kind has its own test below. */
function referenceThrows(state: PlainObject | undefined, patch: Patch): boolean {
  if (!Array.isArray(state)) return false;
  if (patch.op === 'list-insert') return !patch.value && !patch.values;
  return (
    patch.op === 'list-remove' &&
    typeof patch.value === 'object' &&
    patch.value !== null &&
    state.includes(null)
  );
}

describe('[PATCH-1] a patch computes what clients compute', () => {
  beforeAll(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined));
  afterAll(() => void vi.restoreAllMocks());

  it('alone, on every kind of state', () => {
    fc.assert(
      fc.property(state, patch, (state, patch) => {
        fc.pre(!referenceThrows(state, patch));
        expect(applyPatch(state, patch)).toEqual(reference(state, patch));
      }),
      { numRuns: 20_000 },
    );
  });

  it('in a row', () => {
    fc.assert(
      fc.property(state, fc.array(patch, { maxLength: 30 }), (start, patches) => {
        const fitting: Patch[] = [];
        let expected = start;
        for (const patch of patches) {
          if (referenceThrows(expected, patch)) continue;
          fitting.push(patch);
          expected = reference(expected, patch);
        }
        expect(applyOperations(start, fitting)).toEqual(expected);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('applying patches', () => {
  it('changes neither the state nor the patches, and is the same one by one', () => {
    fc.assert(
      fc.property(state, fc.array(patch, { maxLength: 30 }), (state, patches) => {
        freeze(state);
        freeze(patches);
        let oneByOne = state;
        for (const patch of patches) oneByOne = applyPatch(oneByOne, patch);
        expect(applyOperations(state, patches)).toEqual(oneByOne);
      }),
      { numRuns: 2_000 },
    );
  });

  it('yields JSON whatever the patches', () => {
    fc.assert(
      fc.property(state, fc.array(patch, { maxLength: 30 }), (state, patches) => {
        const result = applyOperations(state, patches);
        expect(result).toEqual(onWire(result));
      }),
      { numRuns: 2_000 },
    );
  });

  it('[PATCH-3] never throws, even on patches that were stored unchecked', () => {
    const anything = fc.jsonValue() as fc.Arbitrary<never>;
    const op = patch.map(({ op }) => op);
    const wild = fc.record(
      {
        op,
        name: anything,
        value: anything,
        values: anything,
        index: anything,
        count: anything,
        from: anything,
        to: anything,
        only: anything,
      },
      { requiredKeys: ['op'] },
    );
    fc.assert(
      fc.property(fc.option(anything, { nil: undefined }), fc.array(wild), (state, patches) => {
        applyOperations(state, patches as Patch[]);
        for (const patch of patches) releasedFiles(state, patch as Patch);
      }),
      { numRuns: 5_000 },
    );
    applyPatch([1], { op: 'list-delete', index: { valueOf: 1, toString: 1 } as never, count: 1 });
    applyPatch([1], { op: 'from-the-future' } as never);
  });

  it('[PATCH-2] revives a deleted object by initialize only', () => {
    const patches: Patch[] = [{ op: 'delete' }, { op: 'set', name: 'a', value: 1 }];
    expect(applyOperations({ a: 0 }, patches)).toBeUndefined();
    expect(applyOperations({ a: 0 }, [...patches, { op: 'initialize', value: { b: 2 } }])).toEqual({ b: 2 });
  });

  it('[PATCH-2] deletes also what is no object, as databases from elsewhere may have it', () => {
    for (const state of ['text', 0, true, null]) {
      expect(applyPatch(state as never, { op: 'delete' })).toBeUndefined();
    }
  });

  it('[PATCH-6] takes refs without an id, or with one that is no text, as clients do', () => {
    const broken = { '@@type': 'ref' } as never;
    expect(applyPatch([broken, 1], { op: 'list-remove', value: { '@@type': 'ref' } as never })).toEqual([1]);
    expect(applyPatch([broken], { op: 'list-add', value: { '@@type': 'ref' } as never })).toEqual([broken]);
    const numbered = { '@@type': 'file', id: 7 } as never;
    expect(applyPatch([numbered], { op: 'list-add', value: numbered })).toEqual([numbered, numbered]);
    expect(
      applyPatch([numbered], { op: 'list-remove', value: { '@@type': 'file', id: 7 } as never }),
    ).toEqual([]);
  });

  it('folds a hundred thousand pushes onto one list without copying it each time', () => {
    const pushes = Array.from({ length: 100_000 }, (_, value): Patch => ({ op: 'list-push', value }));
    expect(applyOperations([], pushes)).toHaveLength(100_000);
  });

  it('inserts more items than a call has room for arguments', () => {
    const values = Array.from({ length: 500_000 }, (_, i) => i);
    expect(applyPatch([-1, -2], { op: 'list-insert', index: 1, values })).toHaveLength(500_002);
  });
});

describe('compatibility: where 5.5 differs from 2.3.1, or clients have no answer', () => {
  it('[PATCH-4] list-insert inserts a falsy value, on which clients throw', () => {
    for (const value of [0, '', false, null]) {
      expect(() => referencePatch([1, 2], { op: 'list-insert', index: 1, value } as never)).toThrow();
      expect(applyPatch([1, 2], { op: 'list-insert', index: 1, value })).toEqual([1, value, 2]);
    }
  });

  it('list-insert with neither value nor values does nothing, on which clients throw', () => {
    expect(applyPatch([1], { op: 'list-insert', index: 0 } as never)).toEqual([1]);
  });

  it('[PATCH-4] list-insert with a value and values takes values where value is falsy, as clients do', () => {
    const both = (value: PlainValue) => ({ op: 'list-insert', index: 0, value, values: [7, 8] }) as never;
    for (const value of [0, 5]) {
      const expected = referencePatch([1], both(value));
      expect(applyPatch([1], both(value))).toEqual(expected);
    }
  });

  it('[PATCH-5] list-move-by-ref of an absent reference moves the last item, as clients do', () => {
    const move: Patch = { op: 'list-move-by-ref', value: ref('gone'), index: 0 };
    expect(referencePatch([1, 2, 3], move)).toEqual([3, 1, 2]);
    expect(applyPatch([1, 2, 3], move)).toEqual([3, 1, 2]);
  });

  it('[PATCH-5] a move of nothing leaves null where clients leave undefined', () => {
    const patches: Patch[] = [
      { op: 'list-move-by-ref', value: ref('gone'), index: 0 },
      { op: 'list-move-by-index', from: 5, to: 0 },
    ];
    for (const patch of patches) {
      expect(referencePatch([], patch)).toEqual([undefined]);
      expect(applyPatch([], patch)).toEqual([null]);
    }
  });

  it('[PATCH-9] a missing value is null in a list, and no field in an object', () => {
    expect(applyPatch([1], { op: 'list-push' })).toEqual([1, null]);
    expect(applyPatch([1, null], { op: 'list-remove' })).toEqual([1]);
    expect(applyPatch({ a: 1, b: 2 }, { op: 'set', name: 'a' })).toEqual({ b: 2 });
  });

  it('[PATCH-8] list-set sets an item; 2.3.1 does not know it', () => {
    expect(() => referencePatch([1], { op: 'list-set', index: 0, value: 2 })).toThrow();
    expect(applyPatch([1], { op: 'list-set', index: 0, value: 2 })).toEqual([2]);
    expect(applyPatch([1], { op: 'list-set', index: 3, value: 2 })).toEqual([1, null, null, 2]);
    expect(applyPatch([1], { op: 'list-set', index: -1, value: 2 })).toEqual([1]);
    expect(applyPatch({ a: 1 }, { op: 'list-set', index: 0, value: 2 })).toEqual({ a: 1 });
  });

  it('[PATCH-8] a list is set no further than a bound past its end, where clients leave any number of holes', () => {
    expect(applyPatch([1], { op: 'list-set', index: maxListGap + 1, value: 2 })).toHaveLength(maxListGap + 2);
    expect(applyPatch([1], { op: 'list-set', index: maxListGap + 2, value: 2 })).toEqual([1]);
    expect(applyPatch([1], { op: 'set', name: '1000000000', value: 2 })).toEqual([1]);
    expect(applyPatch([1], { op: 'set', name: 'length', value: 4_000_000_000 })).toEqual([1]);
  });

  it('[PATCH-6] list-remove compares references by type and id; 2.3.1 by id alone', () => {
    const remove: Patch = { op: 'list-remove', value: ref('same') };
    expect(referencePatch([file('same')], remove)).toEqual([]);
    expect(applyPatch([file('same'), ref('same')], remove)).toEqual([file('same')]);
  });

  it('[PATCH-6] list-remove of a file removes it whatever its alt; 2.3.1 does not find it', () => {
    const remove: Patch = { op: 'list-remove', value: file('f') };
    expect(referencePatch([file('f')], remove)).toEqual([file('f')]);
    expect(applyPatch([{ ...file('f'), alt: 'x' }, 1], remove)).toEqual([1]);
  });

  it('[PATCH-6] list-remove of a reference passes over null; 2.3.1 throws', () => {
    const remove: Patch = { op: 'list-remove', value: ref('a') };
    expect(() => referencePatch([null, ref('a')], remove)).toThrow();
    expect(applyPatch([null, ref('a')], remove)).toEqual([null]);
  });

  it('[PATCH-7] list-add appends a file that is there already, as clients do', () => {
    const add: Patch = { op: 'list-add', value: file('f') };
    expect(referencePatch([file('f')], onWire(add))).toEqual([file('f'), file('f')]);
    expect(applyPatch([file('f')], add)).toEqual([file('f'), file('f')]);
  });

  it('[NAME-6] names of the prototype are fields like any other, where clients lose or misread __proto__', () => {
    const set = (value: PlainValue): Patch => ({ op: 'set', name: '__proto__', value });
    const state = applyPatch({ a: 1 }, set({ polluted: 1 }));
    expect(JSON.stringify(state)).toBe('{"a":1,"__proto__":{"polluted":1}}');
    expect(Object.getPrototypeOf(state)).toBe(Object.prototype);
    expect((state as { polluted?: unknown }).polluted).toBeUndefined();
    expect(JSON.stringify(applyOperations(state, [set(1), { op: 'touch' }]))).toBe('{"a":1,"__proto__":1}');
    expect(JSON.stringify(applyPatch(state, { op: 'remove', name: '__proto__' }))).toBe('{"a":1}');
    const initialize = JSON.parse('{"op":"initialize","value":{"__proto__":{"x":1}}}');
    expect(JSON.stringify(applyPatch(undefined, initialize))).toBe('{"__proto__":{"x":1}}');
    expect(applyPatch([1], set([]))).toEqual([1]);
  });

  it('[PATCH-10] a list takes set and remove by index, and by length, as arrays do', () => {
    expect(applyPatch([1, 2], { op: 'set', name: 1, value: 3 })).toEqual([1, 3]);
    expect(applyPatch([1, 2], { op: 'remove', name: '0' })).toEqual([null, 2]);
    expect(applyPatch([1, 2, 3], { op: 'set', name: 'length', value: 1 })).toEqual([1]);
    expect(applyPatch([1], { op: 'set', name: 'length', value: 2 })).toEqual([1, null]);
  });

  it('[PATCH-10] a length that is no number does nothing, where clients convert it or throw', () => {
    for (const value of ['1', true, null, -1, 1.5, {}]) {
      expect(applyPatch([1, 2], { op: 'set', name: 'length', value })).toEqual([1, 2]);
    }
    expect(applyPatch([1, 2], { op: 'remove', name: 'length' })).toEqual([1, 2]);
  });
});

describe('released files', () => {
  it('[PATCH-11] are those that an object had and has no more', () => {
    fc.assert(
      fc.property(state, patch, (before, patch) => {
        const after = new Set(fileIdsIn(applyPatch(before, patch)));
        const gone = patch.op === 'initialize' ? [] : fileIdsIn(before).filter((id) => !after.has(id));
        expect(releasedFiles(before, patch)).toEqual(gone);
      }),
      { numRuns: 5_000 },
    );
  });

  it('[PATCH-11] are told by each way to drop one', () => {
    expect(releasedFiles({ a: file('f') }, { op: 'delete' })).toEqual(['f']);
    expect(releasedFiles({ a: file('f') }, { op: 'set', name: 'a', value: 1 })).toEqual(['f']);
    expect(releasedFiles({ a: file('f') }, { op: 'remove', name: 'a' })).toEqual(['f']);
    expect(releasedFiles([file('f')], { op: 'list-set', index: 0, value: 1 })).toEqual(['f']);
    expect(releasedFiles([file('f'), file('g')], { op: 'list-delete', index: 0, count: 2 })).toEqual([
      'f',
      'g',
    ]);
    expect(releasedFiles([file('f')], { op: 'list-remove', value: file('f') })).toEqual(['f']);
  });

  it('[PATCH-11] leave out a file that another field still holds', () => {
    expect(releasedFiles({ a: file('f'), b: file('f') }, { op: 'remove', name: 'a' })).toEqual([]);
    expect(
      releasedFiles({ a: file('f') }, { op: 'set', name: 'a', value: { ...file('f'), alt: 'x' } }),
    ).toEqual([]);
  });
});
