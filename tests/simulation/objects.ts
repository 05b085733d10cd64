import { applyPatch, type OperationPatch } from '@verdant-web/common';
import {
  isObjectRef,
  isRoot,
  type Oid,
  type Patch,
  type PlainObject,
  type PlainValue,
  rootOf,
} from '@verdant-web/protocol';

/** The state of one object; undefined: absent or deleted. */
export type ObjectState = PlainObject | undefined;

/**
 * The state after a patch, as npm's `@verdant-web/common` computes it: an oracle that shares no code with the server.
 * `state` is changed in place.
 */
export function patched(state: ObjectState, patch: Patch): ObjectState {
  // Array methods of the oracle are noisy about lists that are none, and do nothing.
  if (patch.op.startsWith('list-') && !Array.isArray(state)) return state;
  // Looking for a ref, 2.3.1 stumbles over an item that is none, which a move from beyond the end leaves; 5.5.0 does not.
  if (Array.isArray(state) && patch.op === 'list-remove' && isObjectRef(patch.value)) {
    return withoutRef(state, patch.value.id, patch.only);
  }
  return applyPatch(state as never, patch as unknown as OperationPatch) as ObjectState;
}

function withoutRef(list: PlainValue[], id: string, only: 'first' | 'last' | undefined): PlainValue[] {
  const isIt = (item: unknown) => isObjectRef(item) && item.id === id;
  if (only === undefined) return list.filter((item) => !isIt(item));
  const at = only === 'first' ? list.findIndex(isIt) : list.findLastIndex(isIt);
  return at < 0 ? list : list.toSpliced(at, 1);
}

/** Documents by their root, with nested objects in the place of their refs, each as a JSON text with sorted fields. */
export function documentsOf(objects: ReadonlyMap<Oid, PlainObject>): Map<Oid, string> {
  const documents = new Map<Oid, string>();
  for (const [oid, state] of objects) {
    if (isRoot(oid)) documents.set(oid, canonical(resolved(state, objects, new Set([oid]))));
  }
  return documents;
}

/** JSON with sorted fields. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

function resolved(value: unknown, objects: ReadonlyMap<Oid, PlainObject>, within: Set<string>): unknown {
  if (isObjectRef(value)) {
    const target = objects.get(value.id as Oid);
    if (target === undefined || within.has(value.id)) return null;
    return resolved(target, objects, new Set(within).add(value.id));
  }
  if (Array.isArray(value)) return value.map((item) => resolved(item, objects, within));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, resolved(field, objects, within)]),
    );
  }
  return value;
}

/** A private document says in its key whose it is, so that checks need not believe what the server says. */
export const privateKey = (userId: string, name: string): string => `p-${userId}-${name}`;

/** Whether `userId` may see the object, by its name alone. */
export function mayBeSeenBy(userId: string, oid: Oid): boolean {
  const key = rootOf(oid).split('/')[1] ?? '';
  return !key.startsWith('p-') || key.startsWith(`p-${userId}-`);
}

/** What makes an operation the same one, wherever it turns up: timestamps name the page that wrote them. */
export const idOf = ({ oid, timestamp }: { oid: Oid; timestamp: string }): string => `${timestamp} ${oid}`;
