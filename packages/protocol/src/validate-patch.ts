import { type Fields, integer, invalid, listOf, objectOrList, shallowEnough, text } from './checks.js';
import type { MessageLimits } from './limits.js';
import type { Patch, PlainValue } from './patch.js';
import { type FileRef, isFileRef, isObjectRef, type ObjectRef } from './ref.js';

/**
 * Checks an operation's `data` and copies the fields that its op has.
 * @throws VerdantError `InvalidRequest`
 */
export function parsePatch(data: Fields, limits: MessageLimits): Patch {
  switch (data.op) {
    case 'initialize':
      return { op: 'initialize', value: objectOrList(data.value, 'data.value', limits.maxValueDepth) };
    case 'set':
      return withValue({ op: 'set', name: fieldName(data.name, limits) }, data.value, limits);
    case 'remove':
      return { op: 'remove', name: fieldName(data.name, limits) };
    case 'list-set':
      return withValue({ op: 'list-set', index: settableIndex(data.index, limits) }, data.value, limits);
    case 'list-push':
      return withValue({ op: 'list-push' }, data.value, limits);
    case 'list-insert':
      return listInsert(data, limits);
    case 'list-delete':
      return {
        op: 'list-delete',
        index: integer(data.index, 'data.index'),
        count: integer(data.count, 'data.count'),
      };
    case 'list-move-by-index':
      return {
        op: 'list-move-by-index',
        from: integer(data.from, 'data.from'),
        to: integer(data.to, 'data.to'),
      };
    case 'list-move-by-ref':
      return { op: 'list-move-by-ref', value: ref(data.value), index: integer(data.index, 'data.index') };
    case 'list-remove': {
      const parsed: Patch = withValue({ op: 'list-remove' }, data.value, limits);
      if (data.only === 'first' || data.only === 'last') parsed.only = data.only;
      else if (data.only != null) throw invalid('data.only', "'first' or 'last'", data.only);
      return parsed;
    }
    case 'list-add':
      return withValue({ op: 'list-add' }, data.value, limits);
    case 'delete':
      return { op: 'delete' };
    case 'touch':
      return { op: 'touch' };
    default:
      throw invalid('data.op', 'a known patch operation', data.op);
  }
}

function listInsert(data: Fields, limits: MessageLimits): Patch {
  const index = integer(data.index, 'data.index');
  // Clients take `values` where both are given and `value` is falsy; then only what counts is kept.
  if (data.values != null && !data.value) {
    const values = listOf(data.values, 'data.values');
    for (const item of values) shallowEnough(item, 'data.values', limits.maxValueDepth);
    return { op: 'list-insert', index, values: values as PlainValue[] };
  }
  if (data.value === undefined) throw invalid('data', 'value or values', undefined);
  return { op: 'list-insert', index, value: plainValue(data.value, limits) };
}

/** Adds `value`, unless the client had `undefined` there, which JSON leaves out. */
function withValue<T extends { op: string; value?: PlainValue }>(
  patch: T,
  value: unknown,
  limits: MessageLimits,
): T {
  if (value !== undefined) patch.value = plainValue(value, limits);
  return patch;
}

const plainValue = (value: unknown, limits: MessageLimits): PlainValue =>
  (typeof value === 'object'
    ? shallowEnough(value, 'data.value', limits.maxValueDepth)
    : value) as PlainValue;

function ref(value: unknown): ObjectRef | FileRef {
  if (!isObjectRef(value) && !isFileRef(value)) throw invalid('data.value', 'a reference', value);
  return value;
}

function fieldName(value: unknown, limits: MessageLimits): string | number {
  if (typeof value === 'number') return settableIndex(value, limits, 'data.name');
  return text(value, 'data.name', limits.maxNameLength);
}

function settableIndex(value: unknown, limits: MessageLimits, name = 'data.index'): number {
  const index = integer(value, name);
  if (index > limits.maxListIndex) throw invalid(name, `at most ${limits.maxListIndex}`, value);
  return index;
}
