import { VerdantError, VerdantErrorCode } from './errors.js';
import type { PlainObject } from './patch.js';

/*
 * Checks of one field each: what passes is returned with its type, what does not throws an `InvalidRequest` that names
 * the field. Inside a list, the name is relative to the item.
 */

/** A JSON object whose fields are still to be checked. */
export type Fields = { readonly [name: string]: unknown };

export function integer(value: unknown, name: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw invalid(name, 'a whole number', value);
}

export function text(value: unknown, name: string, maxLength: number): string {
  if (typeof value === 'string' && value.length <= maxLength) return value;
  throw invalid(name, `a string of at most ${maxLength} characters`, value);
}

export function record(value: unknown, name: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid(name, 'an object', value);
}

export function listOf(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(name, 'a list', value);
}

/** The value itself, if it is nested no deeper than `maxDepth`. */
export function shallowEnough(value: unknown, name: string, maxDepth: number): unknown {
  if (isNestedDeeper(value, maxDepth)) {
    throw new VerdantError(
      VerdantErrorCode.InvalidRequest,
      `${name}: expected at most ${maxDepth} levels of nesting, got more`,
    );
  }
  return value;
}

/** Goes no deeper than `maxDepth` itself, so it cannot overflow the stack. */
function isNestedDeeper(value: unknown, maxDepth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (maxDepth === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' && isNestedDeeper(item, maxDepth - 1)) return true;
    }
    return false;
  }
  for (const key in value) {
    const item = (value as Fields)[key];
    if (typeof item === 'object' && isNestedDeeper(item, maxDepth - 1)) return true;
  }
  return false;
}

export function objectOrList(value: unknown, name: string, maxDepth: number): PlainObject {
  if (typeof value !== 'object' || value === null) throw invalid(name, 'an object or a list', value);
  return shallowEnough(value, name, maxDepth) as PlainObject;
}

/** Tells the field, what was expected, and the type of what came: never the content. */
export function invalid(name: string, expected: string, came: unknown): VerdantError {
  return new VerdantError(
    VerdantErrorCode.InvalidRequest,
    `${name}: expected ${expected}, got ${kindOf(came)}`,
  );
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
