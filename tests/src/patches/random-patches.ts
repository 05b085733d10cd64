import type { Patch, PlainObject, PlainValue } from '@verdant-web/protocol';
import type { Random } from '../../simulation/random.js';

/** The state that a list of patches begins with; undefined: no object. Never shares parts with anything else. */
export function randomState(random: Random): PlainObject | undefined {
  return random.pick(states)(random) as PlainObject | undefined;
}

/** A patch for an object in this state: mostly one that fits, and often one that nobody should have written. */
export function randomPatch(random: Random, state: PlainObject | undefined): Patch {
  const op = random.pick(ops);
  const list: readonly PlainValue[] = Array.isArray(state) ? state : [];
  const index = () => randomIndex(random, list.length);
  const value = () => randomValue(random, state);
  const name = () => randomName(random, state);
  const fields: Record<string, unknown> = { op };
  const put = (field: string, make: () => unknown) => {
    // What a client had as `undefined` is missing on the wire.
    const made = random.chance(0.02) ? undefined : make();
    if (made !== undefined) fields[field] = made;
  };
  switch (op) {
    case 'initialize':
      put('value', () => (random.chance(0.02) ? null : randomState(random)));
      break;
    case 'set':
      put('name', name);
      put('value', () => (fields.name === 'length' && random.chance(0.7) ? index() : value()));
      break;
    case 'remove':
      put('name', name);
      break;
    case 'list-set':
      put('index', index);
      put('value', value);
      break;
    case 'list-push':
    case 'list-add':
      put('value', value);
      break;
    case 'list-insert':
      put('index', index);
      if (random.chance(0.6)) put('value', value);
      if (random.chance(0.5)) put('values', () => randomValues(random, state));
      break;
    case 'list-delete':
      put('index', index);
      put('count', index);
      break;
    case 'list-move-by-index':
      put('from', index);
      put('to', index);
      break;
    case 'list-move-by-ref':
      put('value', () => (random.chance(0.8) ? randomRef(random) : value()));
      put('index', index);
      break;
    case 'list-remove':
      put('value', value);
      if (random.chance(0.5)) put('only', () => random.pick(['first', 'last']));
      break;
    case 'delete':
    case 'touch':
      break;
  }
  return fields as Patch;
}

/** All of them. */
export const ops = [
  'initialize',
  'set',
  'remove',
  'list-set',
  'list-push',
  'list-insert',
  'list-delete',
  'list-move-by-index',
  'list-move-by-ref',
  'list-remove',
  'list-add',
  'delete',
  'touch',
] as const satisfies readonly Patch['op'][];

const states: readonly ((random: Random) => unknown)[] = [
  () => undefined,
  () => null,
  (random) => random.pick(['', 'text', 0, 7, true, false]),
  () => [],
  () => ({}),
  (random) => listOf(random, () => random.pick(primitives)),
  (random) => listOf(random, () => random.pick([1, 2, 'x'])),
  (random) => listOf(random, () => objectRef(random)),
  (random) => listOf(random, () => fileRef(random)),
  (random) => listOf(random, () => randomItem(random)),
  (random) => fieldsOf(random, () => random.pick(primitives)),
  (random) => fieldsOf(random, () => objectRef(random)),
  (random) => fieldsOf(random, () => fileRef(random)),
  (random) => fieldsOf(random, () => randomItem(random)),
  (random) => withPrototypeNames(random),
  (random) => objectRef(random),
  (random) => fileRef(random),
];

const primitives = [0, 1, -1, 1.5, 2, '', 'x', 'y', '0', true, false, null];
const fieldNames = ['a', 'b', 'c', '', '0', '1', 'length', 'constructor', 'toString', '@@type', 'id'];

const listOf = (random: Random, item: () => unknown) =>
  Array.from({ length: random.chance(0.01) ? 200 : random.between(1, 9) }, item);

const fieldsOf = (random: Random, value: () => unknown) =>
  Object.fromEntries(Array.from({ length: random.between(1, 6) }, () => [random.pick(fieldNames), value()]));

/** As JSON has it: an own field, which an object literal cannot have. */
const withPrototypeNames = (random: Random): unknown =>
  JSON.parse(
    `{"__proto__":${JSON.stringify(randomItem(random))},"constructor":1,"hasOwnProperty":${random.below(3)}}`,
  );

// Object and file references share some ids, and some have an id that is none.
const objectRef = (random: Random) => ({
  '@@type': 'ref',
  ...(random.chance(0.02) ? {} : { id: random.pick(['o/1:a', 'o/1:b', 'o/1:c', 'same', '']) }),
});

function fileRef(random: Random) {
  const ref = { '@@type': 'file', id: random.chance(0.02) ? 7 : random.pick(['file-1', 'file-2', 'same']) };
  return random.chance(0.3) ? { ...ref, alt: random.pick(['alt', null]) } : ref;
}

const randomRef = (random: Random): unknown => (random.chance(0.6) ? objectRef(random) : fileRef(random));

function randomItem(random: Random): unknown {
  const kind = random.next();
  if (kind < 0.55) return random.pick(primitives);
  if (kind < 0.9) return randomRef(random);
  // Nested values, which clients never write: they flatten.
  return random.pick([
    () => ({ a: random.pick(primitives) }),
    () => [random.pick(primitives)],
    () => ({}),
    () => [],
    () => JSON.parse('{"__proto__":{"a":1}}') as unknown,
  ])();
}

function randomValue(random: Random, state: PlainObject | undefined): unknown {
  // Half of what is looked for is there.
  const present = typeof state === 'object' && state !== null ? Object.values(state) : [];
  return present.length > 0 && random.chance(0.4)
    ? structuredClone(random.pick(present))
    : randomItem(random);
}

function randomValues(random: Random, state: PlainObject | undefined): unknown {
  if (random.chance(0.05)) return random.pick(['text', 5, {}, null, true]);
  return Array.from({ length: random.below(5) }, () => randomValue(random, state));
}

/** Positions and counts. */
function randomIndex(random: Random, length: number): unknown {
  const kind = random.next();
  if (kind < 0.55) return random.below(length + 1);
  if (kind < 0.65) return length + random.below(4);
  if (kind < 0.77) return -1 - random.below(length + 2);
  // A list that grows by its bound takes its time: one in a thousand.
  if (kind < 0.771) return length + 10_000;
  if (kind < 0.773) return length + 10_001;
  if (kind < 0.83) return random.pick([1e9, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 1e300]);
  if (kind < 0.86) return random.pick([-1e9, -(2 ** 40), -1e300]);
  if (kind < 0.92) return random.pick([0.5, 1.5, -0.5, -1.5, 2.999, -0]);
  return random.pick([null, '1', '01', 'x', 'NaN', '', '-1', 'length', true, false, {}, [], [1], ['1', 2]]);
}

function randomName(random: Random, state: PlainObject | undefined): unknown {
  const kind = random.next();
  const own = typeof state === 'object' && state !== null ? Object.keys(state) : [];
  if (kind < 0.3 && own.length > 0) return random.pick(own);
  if (kind < 0.6) return random.pick(fieldNames);
  if (kind < 0.7) return random.pick(['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty']);
  if (kind < 0.72) return random.pick(['push', 'splice', 'indexOf', 'some', 'findIndex', 'toJSON']);
  if (kind < 0.75) return random.pick(['01', '1.5', '-1', ' 1', '4294967294', '4294967295', '1e3']);
  return randomIndex(random, own.length);
}
