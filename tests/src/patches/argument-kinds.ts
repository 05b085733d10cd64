import type { PlainObject } from '@verdant-web/protocol';

const positions = [
  'missing',
  'zero',
  'inside',
  'at the end',
  'past the end',
  'huge',
  'negative',
  'negative past the start',
  'fractional',
  'null',
  'text of a number',
  'other text',
  'boolean',
  'object or list',
];
const values = [
  'missing',
  'zero',
  'empty text',
  'false',
  'null',
  'number',
  'text',
  'true',
  'object ref',
  'file ref',
  'nested object',
  'nested list',
];
const names = [
  'missing',
  'there',
  'new',
  'empty',
  '__proto__',
  'of the prototype',
  'length',
  'number',
  'negative or fractional',
  'null',
  'boolean',
  'object or list',
];

/** For each op, its fields, and the kinds of what may be in them. */
export const argumentKinds: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  initialize: { value: ['missing', 'null', 'object', 'list', 'wrong type'] },
  set: { name: names, value: values },
  remove: { name: names },
  'list-set': { index: positions, value: values },
  'list-push': { value: values },
  'list-insert': {
    index: positions,
    value: values,
    values: ['missing', 'empty', 'one', 'many', 'wrong type'],
  },
  'list-delete': { index: positions, count: positions },
  'list-move-by-index': { from: positions, to: positions },
  'list-move-by-ref': { value: ['object ref', 'file ref', 'wrong type'], index: positions },
  'list-remove': { value: values, only: ['missing', 'first', 'last'] },
  'list-add': { value: values },
  delete: {},
  touch: {},
};

/** The kind of what a patch has in a field. */
export function argumentKind(
  op: string,
  field: string,
  value: unknown,
  state: PlainObject | undefined,
): string {
  const isObject = typeof value === 'object' && value !== null;
  if (field === 'only') return value === undefined ? 'missing' : String(value);
  if (field === 'values') {
    if (value === undefined) return 'missing';
    if (!Array.isArray(value)) return 'wrong type';
    return ['empty', 'one'][value.length] ?? 'many';
  }
  if (field === 'name') return nameKind(value, state);
  if (field !== 'value') return positionKind(value, Array.isArray(state) ? state.length : 0);
  if (op === 'initialize' && value !== undefined && value !== null) {
    return isObject ? (Array.isArray(value) ? 'list' : 'object') : 'wrong type';
  }
  const kind = valueKind(value);
  return op === 'list-move-by-ref' && !kind.endsWith('ref') ? 'wrong type' : kind;
}

function valueKind(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'nested list';
  if (typeof value === 'object') {
    const type = (value as { '@@type'?: unknown })['@@type'];
    return type === 'ref' ? 'object ref' : type === 'file' ? 'file ref' : 'nested object';
  }
  if (typeof value === 'boolean') return String(value);
  if (value === 0) return 'zero';
  if (value === '') return 'empty text';
  return typeof value === 'string' ? 'text' : 'number';
}

function nameKind(name: unknown, state: PlainObject | undefined): string {
  if (name === undefined) return 'missing';
  if (name === null) return 'null';
  if (typeof name === 'object') return 'object or list';
  if (typeof name === 'boolean') return 'boolean';
  if (typeof name === 'number')
    return Number.isInteger(name) && name >= 0 ? 'number' : 'negative or fractional';
  const text = name as string;
  if (text === '' || text === '__proto__' || text === 'length') return text === '' ? 'empty' : text;
  if (text in Object.prototype) return 'of the prototype';
  return typeof state === 'object' && state !== null && Object.hasOwn(state, text) ? 'there' : 'new';
}

function positionKind(value: unknown, length: number): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'object') return 'object or list';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string')
    return Number.isNaN(Number.parseFloat(value)) ? 'other text' : 'text of a number';
  const position = value as number;
  if (Math.abs(position) >= 1e9) return 'huge';
  if (!Number.isInteger(position)) return 'fractional';
  if (position < 0) return position < -length ? 'negative past the start' : 'negative';
  if (position === 0) return 'zero';
  return position < length ? 'inside' : position === length ? 'at the end' : 'past the end';
}
