import { type FileRef, fileIdsIn, isFileRef, type ObjectRef, refsEqual } from './ref.js';

/** A JSON value. */
export type PlainValue = string | number | boolean | null | PlainObject;

/** A JSON object or list: the state of one object, flat but for its references. */
export type PlainObject = { [key: string]: PlainValue } | PlainValue[];

/**
 * One change to one object. A `value` that the client had as `undefined` is missing on the wire: fields then have
 * no value, and list items are null.
 */
export type Patch =
  /** The object becomes `value`. The only patch that revives a deleted or absent object. */
  | { op: 'initialize'; value: PlainObject }
  /** Sets a field. 3.x clients set list items this way too, with the index as a number. */
  | { op: 'set'; name: string | number; value?: PlainValue }
  | { op: 'remove'; name: string | number }
  | { op: 'list-set'; index: number; value?: PlainValue }
  | { op: 'list-push'; value?: PlainValue }
  | { op: 'list-insert'; index: number; value: PlainValue; values?: never }
  | { op: 'list-insert'; index: number; values: PlainValue[]; value?: never }
  | { op: 'list-delete'; index: number; count: number }
  /** Takes the item at `from` out, then puts it back at `to`. */
  | { op: 'list-move-by-index'; from: number; to: number }
  /** As `list-move-by-index`, of the first item that equals `value`. */
  | { op: 'list-move-by-ref'; value: ObjectRef | FileRef; index: number }
  /** Removes all items that equal `value`, or only the first or last. */
  | { op: 'list-remove'; value?: PlainValue; only?: 'first' | 'last' }
  /** Appends `value` unless the list has it. */
  | { op: 'list-add'; value?: PlainValue }
  | { op: 'delete' }
  /** Changes nothing. */
  | { op: 'touch' };

/**
 * How far past its end a list may be set. Clients leave that many holes, whatever the number; here a set that
 * would leave more does nothing, so that sixty bytes cannot claim gigabytes.
 */
export const maxListGap = 10_000;

/**
 * The state of an object after a patch; `undefined` is an object that is absent or deleted. What does not fit the
 * state does nothing, and nothing throws. Neither argument is changed, but the result may share parts with both.
 *
 * To apply many, {@link applyOperations} is faster: it copies the state once.
 */
export const applyPatch = (state: PlainObject | undefined, patch: Patch): PlainObject | undefined =>
  applyOperations(state, [patch]);

/** The state of an object after patches, in the order given, by the rules of {@link applyPatch}. */
export function applyOperations(
  state: PlainObject | undefined,
  patches: Iterable<Patch>,
): PlainObject | undefined {
  let current = state ?? undefined;
  // Whether `current` is a copy of our own, that can be changed in place.
  let owned = false;
  for (const patch of patches) {
    if (patch.op === 'initialize') {
      current = patch.value ?? undefined;
      owned = false;
    } else if (patch.op === 'delete') {
      current = undefined;
    } else if (typeof current !== 'object' || patch.op === 'touch') {
      // Only `initialize` revives an object.
    } else {
      if (!owned) {
        current = Array.isArray(current) ? [...current] : { ...current };
        owned = true;
      }
      if (Array.isArray(current)) changeList(current, patch);
      else changeFields(current, patch);
    }
  }
  return current;
}

/**
 * Ids of the files that a patch drops from an object and that are not elsewhere in it. An `initialize` over a live
 * object drops none: clients do not count it either.
 */
export function releasedFiles(before: PlainObject | undefined, patch: Patch): string[] {
  if (typeof before !== 'object' || before === null || !mayDropFile(before, patch)) return [];
  const dropped = fileIdsIn(before);
  if (dropped.length === 0) return dropped;
  const kept = fileIdsIn(applyPatch(before, patch));
  return kept.length === 0 ? dropped : dropped.filter((id) => !kept.includes(id));
}

type Change = Exclude<Patch, { op: 'initialize' | 'delete' | 'touch' }>;

function changeFields(object: { [key: string]: PlainValue }, patch: Change): void {
  if ((patch.op !== 'set' && patch.op !== 'remove') || !isName(patch.name)) return;
  if (patch.op === 'set' && patch.value !== undefined) setField(object, patch.name, patch.value);
  else delete object[patch.name];
}

/** Patches of old databases were stored unchecked. */
const isName = (name: unknown): name is string | number =>
  typeof name === 'string' || typeof name === 'number';

function setField(object: { [key: string]: PlainValue }, name: string | number, value: PlainValue): void {
  // A name such as `__proto__` is data like any other: assigning it would reach for the prototype.
  if (name in object && !Object.hasOwn(object, name)) {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[name] = value;
  }
}

function changeList(list: PlainValue[], patch: Change): void {
  switch (patch.op) {
    case 'set':
      if (patch.name === 'length') setLength(list, patch.value);
      else setItem(list, arrayIndex(patch.name), patch.value ?? null);
      break;
    case 'remove': {
      // Clients leave a hole, and the list as long as it was.
      const index = arrayIndex(patch.name);
      if (index >= 0 && index < list.length) list[index] = null;
      break;
    }
    case 'list-set':
      setItem(list, arrayIndex(patch.index), patch.value ?? null);
      break;
    case 'list-push':
      list.push(patch.value ?? null);
      break;
    case 'list-insert':
      insertItems(list, position(patch.index), itemsToInsert(patch));
      break;
    case 'list-delete':
      list.splice(position(patch.index), position(patch.count));
      break;
    case 'list-move-by-index':
      moveItem(list, position(patch.from), position(patch.to));
      break;
    case 'list-move-by-ref':
      // Where the reference is gone, index -1 moves the last item: odd, but all clients do, so all agree.
      moveItem(
        list,
        list.findIndex((item) => itemsEqual(item, patch.value)),
        position(patch.index),
      );
      break;
    case 'list-remove':
      removeItems(list, patch.value ?? null, patch.only);
      break;
    case 'list-add':
      addItem(list, patch.value ?? null);
      break;
  }
}

function setItem(list: PlainValue[], index: number, value: PlainValue): void {
  if (index < 0 || index - list.length > maxListGap) return;
  while (list.length < index) list.push(null);
  list[index] = value;
}

function setLength(list: PlainValue[], value: PlainValue | undefined): void {
  const length = typeof value === 'number' ? value : -1;
  if (!Number.isInteger(length) || length < 0 || length - list.length > maxListGap) return;
  if (length < list.length) list.length = length;
  while (list.length < length) list.push(null);
}

function itemsToInsert(patch: { value?: unknown; values?: unknown }): PlainValue[] {
  // Clients take `values` where `value` is falsy, and throw where neither is given.
  if (Array.isArray(patch.values) && !patch.value) return patch.values;
  return patch.value === undefined ? [] : [patch.value as PlainValue];
}

function insertItems(list: PlainValue[], index: number, items: PlainValue[]): void {
  if (items.length === 0) return;
  // Not splice(index, 0, ...items): a long list of arguments overflows the stack.
  const tail = list.splice(index);
  for (const item of items) list.push(item);
  for (const item of tail) list.push(item);
}

function moveItem(list: PlainValue[], from: number, to: number): void {
  const [item] = list.splice(from, 1);
  // Where there was nothing to take, clients put `undefined` back, which is null in JSON.
  list.splice(to, 0, item ?? null);
}

function removeItems(list: PlainValue[], value: PlainValue, only: 'first' | 'last' | undefined): void {
  const matches = (item: PlainValue) => itemsEqual(item, value);
  if (only) {
    const index = only === 'last' ? list.findLastIndex(matches) : list.findIndex(matches);
    if (index !== -1) list.splice(index, 1);
    return;
  }
  let kept = 0;
  for (const item of list) {
    if (!matches(item)) list[kept++] = item;
  }
  list.length = kept;
}

function addItem(list: PlainValue[], value: PlainValue): void {
  // Clients do not look into file references here: one that is there already is added again.
  const isFile =
    typeof value === 'object' && value !== null && '@@type' in value && value['@@type'] === 'file';
  if (isFile || !list.some((item) => itemsEqual(item, value))) list.push(value);
}

/** References are equal by type and id; other objects never are, as identity does not survive the wire. */
const itemsEqual = (a: PlainValue, b: PlainValue): boolean =>
  typeof a === 'object' && a !== null ? refsEqual(a, b) : a === b;

/** The number of a list's item, or -1 for a name that is none: clients keep such a one outside the list's JSON. */
function arrayIndex(name: unknown): number {
  const index = typeof name === 'string' ? Number(name) : name;
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0) return -1;
  return typeof name === 'string' && String(index) !== name ? -1 : index;
}

/** As lists of JavaScript read a position: negative counts from the end; what is no number is 0. */
const position = (value: unknown): number => (typeof value === 'object' ? 0 : Number(value) || 0);

function mayDropFile(before: PlainObject, patch: Patch): boolean {
  switch (patch.op) {
    case 'set':
    case 'remove':
      // The usual case, a plain field of an object, is decided without a look at the others.
      if (Array.isArray(before)) return true;
      return isName(patch.name) && Object.hasOwn(before, patch.name) && isFileRef(before[patch.name]);
    case 'list-set':
    case 'list-delete':
    case 'list-remove':
      return Array.isArray(before);
    case 'delete':
      return true;
    default:
      return false;
  }
}
