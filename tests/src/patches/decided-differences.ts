import { maxListGap, type Patch, type PlainObject, type PlainValue } from '@verdant-web/protocol';
import type { ReferenceName } from './references.js';

/** One patch on one state, as JSON has them. */
export interface Case {
  readonly before: PlainObject | undefined;
  readonly patch: Patch;
  readonly reference: ReferenceName;
  /** What the newest client makes of `patch` on a state; throws where it does. */
  readonly newest: (state: PlainObject | undefined, patch: unknown) => unknown;
}

/** A difference that was looked at, and stays. */
export interface DecidedDifference {
  readonly name: string;
  /** What the reference does. */
  readonly theirs: string;
  /** What the server does, and why. */
  readonly ours: string;
  /** The rule of docs/protocol.md that says so. */
  readonly rule: string;
  /** Whether a client can send it; other such patches are refused, and only databases from elsewhere have them. */
  readonly door: 'open' | 'refused';
  readonly where: (on: Case) => boolean;
  /** What the server is to make of it, said in another way than by its own code. */
  readonly expected: (on: Case) => unknown;
}

// Patches are looked at as what JSON they are: fields may hold anything.
type Fields = { op: string; [field: string]: unknown };
const fields = ({ patch }: Case): Fields => patch as unknown as Fields;

const unchanged = ({ before }: Case) => before;
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const listOf = ({ before }: Case): PlainValue[] | null => (Array.isArray(before) ? before : null);

const positionFields = ['index', 'count', 'from', 'to'];
const indexOf = (value: unknown): number =>
  typeof value === 'number' || (typeof value === 'string' && String(Number(value)) === value)
    ? Number(value)
    : -1;

/** How far past its end a list would be set. */
function gap(on: Case): number {
  const { op, index, name, value } = fields(on);
  const length = listOf(on)?.length ?? Number.POSITIVE_INFINITY;
  if (op === 'list-set') return indexOf(index) - length;
  if (op !== 'set') return 0;
  return (name === 'length' ? Number(value) : indexOf(name)) - length;
}

const isRef = (value: unknown) =>
  isObject(value) && '@@type' in value && (value['@@type'] === 'ref' || value['@@type'] === 'file');

/** The first that fits decides. */
export const decidedDifferences: readonly DecidedDifference[] = [
  {
    name: 'null is no object',
    theirs: 'null stays null',
    ours: 'null is an absent object, from a database that has it as a baseline',
    rule: 'PATCH-2',
    door: 'refused',
    where: ({ before, patch }) => before === null && patch.op !== 'initialize',
    expected: () => undefined,
  },
  {
    name: 'initialize with null',
    theirs: 'the object is null, on which nothing works any more',
    ours: 'the object is absent',
    rule: 'PATCH-2',
    door: 'refused',
    where: (on) => on.patch.op === 'initialize' && fields(on).value === null,
    expected: () => undefined,
  },
  {
    name: 'initialize with a field named `__proto__`',
    theirs: 'the field is lost, and becomes the prototype of the copy',
    ours: 'a field like any other: what is stored does not depend on a name',
    rule: 'NAME-6',
    door: 'open',
    where: (on) => on.patch.op === 'initialize' && JSON.stringify(on.patch).includes('"__proto__":'),
    expected: (on) => fields(on).value,
  },
  {
    name: 'set of a field named `__proto__`',
    theirs: 'the prototype changes, and no field is there',
    ours: 'a field like any other',
    rule: 'NAME-6',
    door: 'open',
    where: (on) =>
      on.patch.op === 'set' && fields(on).name === '__proto__' && isObject(on.before) && !listOf(on),
    expected: (on) =>
      Object.fromEntries(new Map([...Object.entries(on.before as object), ['__proto__', fields(on).value]])),
  },
  {
    name: 'set or remove of a field of a text, number or boolean',
    theirs: 'throws',
    ours: 'nothing: a patch that does not fit does nothing',
    rule: 'PATCH-3',
    door: 'refused',
    where: ({ before, patch }) => (patch.op === 'set' || patch.op === 'remove') && !isObject(before),
    expected: unchanged,
  },
  {
    name: 'a name that is neither text nor number',
    theirs: 'it is made a text: [1] is the item 1, null is the field "null"',
    ours: 'nothing',
    rule: 'PATCH-3',
    door: 'refused',
    where: (on) =>
      (on.patch.op === 'set' || on.patch.op === 'remove') &&
      !['string', 'number'].includes(typeof fields(on).name),
    expected: unchanged,
  },
  {
    name: 'list-insert of 0, "", false or null',
    theirs: 'throws',
    ours: 'inserted: a falsy value is one like others',
    rule: 'PATCH-4',
    door: 'open',
    where: (on) => {
      const { op, value, values } = fields(on);
      return op === 'list-insert' && value !== undefined && !value && !Array.isArray(values);
    },
    expected: (on) => {
      const { index, value } = fields(on);
      // The same place that a truthy value goes to.
      const place = isObject(index) ? 0 : index;
      const list = on.newest(on.before, { op: 'list-insert', index: place, value: 'here' });
      return (list as unknown[]).map((item) => (item === 'here' ? value : item));
    },
  },
  {
    name: 'list-insert of nothing',
    theirs: 'throws',
    ours: 'nothing',
    rule: 'PATCH-3',
    door: 'refused',
    where: (on) => {
      const { op, value, values } = fields(on);
      return op === 'list-insert' && value === undefined && !Array.isArray(values);
    },
    expected: unchanged,
  },
  {
    name: 'a list is set far past its end',
    theirs: 'any number of holes, without a bound',
    ours: `nothing, further than ${maxListGap} past the end: sixty bytes would claim gigabytes`,
    rule: 'PATCH-8',
    door: 'open',
    where: (on) => gap(on) > maxListGap,
    expected: unchanged,
  },
  {
    name: "a list's length that is no whole number",
    theirs: 'converted, or throws',
    ours: 'nothing',
    rule: 'PATCH-10',
    door: 'open',
    where: (on) => listOf(on) !== null && on.patch.op === 'set' && fields(on).name === 'length',
    expected: unchanged,
  },
  {
    name: "a list's length is removed",
    theirs: 'throws',
    ours: 'nothing',
    rule: 'PATCH-10',
    door: 'open',
    where: (on) => listOf(on) !== null && on.patch.op === 'remove' && fields(on).name === 'length',
    expected: unchanged,
  },
  {
    name: 'list-set of an index that is an object, a list, or "length"',
    theirs: 'it is made a text: [1] is the item 1',
    ours: 'nothing',
    rule: 'PATCH-3',
    door: 'refused',
    where: (on) =>
      on.patch.op === 'list-set' && (isObject(fields(on).index) || fields(on).index === 'length'),
    expected: unchanged,
  },
  {
    name: 'a position that is an object or a list',
    theirs: 'it is made a number: [1] is 1',
    ours: '0, as what is no number',
    rule: 'PATCH-3',
    door: 'refused',
    where: (on) => listOf(on) !== null && positionFields.some((field) => isObject(fields(on)[field])),
    expected: (on) => {
      const numbers = positionFields
        .filter((field) => isObject(fields(on)[field]))
        .map((field) => [field, 0]);
      return on.newest(on.before, { ...on.patch, ...Object.fromEntries(numbers) });
    },
  },
  {
    name: 'a missing value, in a list that holds null',
    theirs: 'undefined, which is not null until it is stored as JSON',
    ours: 'null: a list in JSON has no undefined',
    rule: 'PATCH-9',
    door: 'open',
    where: (on) => listOf(on)?.includes(null) === true && fields(on).value === undefined,
    expected: (on) => on.newest(on.before, { ...on.patch, value: null }),
  },
  {
    name: 'list-set, which 3.x does not know',
    theirs: 'throws',
    ours: 'what 5.5.0 does',
    rule: 'PATCH-8',
    door: 'open',
    where: ({ patch, reference }) => patch.op === 'list-set' && reference !== 'client 5.5.0',
    expected: (on) => (gap(on) > maxListGap ? on.before : on.newest(on.before, on.patch)),
  },
  {
    name: 'list-remove of a ref, as 3.x does it',
    theirs: 'an object by its id alone, also a file; throws on null; does not find files',
    ours: 'what 5.5.0 does: by type and id',
    rule: 'PATCH-6',
    door: 'open',
    where: (on) =>
      on.patch.op === 'list-remove' && isRef(fields(on).value) && on.reference !== 'client 5.5.0',
    expected: (on) => on.newest(on.before, on.patch),
  },
];

/** Differences that are there only because of what a reference has in memory: on the same JSON it agrees with us. */
export const memoryDifferences = {
  hole: {
    name: 'undefined in the memory of a client',
    theirs:
      'a move of nothing, or a set past the end, leaves undefined, which equals null only after it was stored as JSON',
    ours: 'null at once',
    rule: 'PATCH-5',
  },
  brokenList: {
    name: 'a list in the memory of a client whose method a field hides',
    theirs:
      'after a set of `splice`, `push`, `constructor` or `__proto__` on a list, further patches throw until it is read anew',
    ours: 'such a name is no index: nothing happens to the list',
    rule: 'PATCH-10',
  },
} as const;
