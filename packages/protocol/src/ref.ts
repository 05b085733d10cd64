import type { PlainObject, PlainValue } from './patch.js';

/** Stands for a nested object of the same document. */
export type ObjectRef = { '@@type': 'ref'; id: string };

/** Stands for a file. */
export type FileRef = { '@@type': 'file'; id: string; alt?: string | null };

/** Whether `value` is a reference to a nested object. */
export const isObjectRef = (value: unknown): value is ObjectRef => refType(value) === 'ref';

/** Whether `value` is a reference to a file. */
export const isFileRef = (value: unknown): value is FileRef => refType(value) === 'file';

/**
 * Whether both are references of one type to one id. A file's `alt` does not count. Clients look at nothing else, so
 * an id that is missing, or is no text, is one like others here.
 */
export function refsEqual(a: unknown, b: unknown): boolean {
  const type = namedType(a);
  return type !== null && type === namedType(b) && (a as ObjectRef).id === (b as ObjectRef).id;
}

/**
 * Ids of the files that a flat value refers to: itself, its items, or its fields. Objects further down have ids and
 * histories of their own. Each id once.
 */
export function fileIdsIn(value: PlainObject | PlainValue | undefined): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (isFileRef(value)) return [value.id];
  const ids = new Set<string>();
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    if (isFileRef(item)) ids.add(item.id);
  }
  return [...ids];
}

const refType = (value: unknown): 'ref' | 'file' | null =>
  typeof (value as { id?: unknown } | null | undefined)?.id === 'string' ? namedType(value) : null;

function namedType(value: unknown): 'ref' | 'file' | null {
  if (typeof value !== 'object' || value === null) return null;
  const type = (value as { '@@type'?: unknown })['@@type'];
  return type === 'ref' || type === 'file' ? type : null;
}
