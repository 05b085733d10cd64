import type { PlainObject } from '@verdant-web/protocol';

/** What an object is before a patch, for the table of what was tried on what. */
export const stateKinds = [
  'absent',
  'deleted',
  'null',
  'text',
  'number',
  'boolean',
  'empty list',
  'list of values',
  'list with a null',
  'list with equal items',
  'list of object refs',
  'list of file refs',
  'list of several kinds',
  'list with nested values',
  'long list',
  'empty object',
  'object of values',
  'object with object refs',
  'object with file refs',
  'object with nested values',
  'object with prototype names',
  'object that is a ref',
  'object that is a file ref',
] as const;

export type StateKind = (typeof stateKinds)[number];

/** The first kind of several that fits. `deleted`: by an earlier patch of the list. */
export function stateKind(state: unknown, deleted: boolean): StateKind {
  if (state === undefined) return deleted ? 'deleted' : 'absent';
  if (state === null) return 'null';
  if (typeof state === 'string') return 'text';
  if (typeof state !== 'object') return typeof state as 'number' | 'boolean';
  return Array.isArray(state) ? listKind(state) : objectKind(state as Record<string, unknown>);
}

function listKind(list: unknown[]): StateKind {
  if (list.length === 0) return 'empty list';
  if (list.length > 100) return 'long list';
  if (list.includes(null)) return 'list with a null';
  const kinds = new Set(list.map(valueKind));
  if (kinds.has('nested')) return 'list with nested values';
  if (new Set(list.map((item) => JSON.stringify(item))).size < list.length) return 'list with equal items';
  if (kinds.size > 1) return 'list of several kinds';
  if (kinds.has('ref')) return 'list of object refs';
  return kinds.has('file') ? 'list of file refs' : 'list of values';
}

function objectKind(object: Record<string, unknown>): StateKind {
  const names = Object.keys(object);
  if (names.length === 0) return 'empty object';
  if (names.some((name) => name in Object.prototype)) return 'object with prototype names';
  if (object['@@type'] === 'ref') return 'object that is a ref';
  if (object['@@type'] === 'file') return 'object that is a file ref';
  const kinds = new Set(Object.values(object as PlainObject).map(valueKind));
  if (kinds.has('nested')) return 'object with nested values';
  if (kinds.has('file')) return 'object with file refs';
  return kinds.has('ref') ? 'object with object refs' : 'object of values';
}

function valueKind(value: unknown): 'value' | 'ref' | 'file' | 'nested' {
  if (typeof value !== 'object' || value === null) return 'value';
  const type = (value as { '@@type'?: unknown })['@@type'];
  return type === 'ref' || type === 'file' ? type : 'nested';
}
