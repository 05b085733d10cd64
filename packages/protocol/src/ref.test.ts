import { expect, it } from 'vitest';
import { fileIdsIn, isFileRef, isObjectRef, refsEqual } from './ref.js';

const object = (id: unknown) => ({ '@@type': 'ref', id });
const file = (id: string, alt?: string) => ({
  '@@type': 'file' as const,
  id,
  ...(alt === undefined ? {} : { alt }),
});

it('[NAME-4] references are told from other values', () => {
  expect(isObjectRef(object('a')) && isFileRef(file('a', 'x'))).toBe(true);
  for (const other of [null, undefined, 'ref', {}, [], object(5), { '@@type': 'else', id: 'a' }]) {
    expect(isObjectRef(other) || isFileRef(other)).toBe(false);
  }
});

it('[NAME-4] references are equal by type and id', () => {
  expect(refsEqual(object('a'), object('a')) && refsEqual(file('a'), file('a', 'x'))).toBe(true);
  expect(refsEqual(object('a'), object('b')) || refsEqual(object('a'), file('a')) || refsEqual(1, 1)).toBe(
    false,
  );
});

it('the files of a flat value are found, each once', () => {
  expect(fileIdsIn({ a: file('f'), b: file('g'), c: file('f', 'x'), d: { e: file('deep') } })).toEqual([
    'f',
    'g',
  ]);
  expect(fileIdsIn([1, file('f')])).toEqual(['f']);
  expect(fileIdsIn(file('f'))).toEqual(['f']);
  expect([fileIdsIn(null), fileIdsIn('f'), fileIdsIn(undefined), fileIdsIn({})]).toEqual([[], [], [], []]);
});
