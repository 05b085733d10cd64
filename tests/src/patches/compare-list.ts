import { maxListGap, type Patch, type PlainObject } from '@verdant-web/protocol';
import { canonical } from '../canonical.js';
import type { Reference, ReferenceName } from './references.js';

/** What we are: `applyPatch` of `@verdant-web/protocol`, or something that a test puts in its place. */
export type ApplyPatch = (state: PlainObject | undefined, patch: Patch) => PlainObject | undefined;

/** One patch on which a reference and we do not agree. */
export interface Difference {
  readonly reference: ReferenceName;
  /** What both had before. JSON, undefined where there is no object. */
  readonly before: PlainObject | undefined;
  readonly patch: Patch;
  /** What was in the reference's memory, and is not in JSON. */
  readonly memory: ReferenceMemory;
  /** As JSON; undefined is no object. */
  readonly theirs: string | undefined | { readonly thrown: string };
  readonly ours: string | undefined;
}

export interface ReferenceMemory {
  /** A list holds `undefined`, which is null in JSON. */
  readonly hole: boolean;
  /** A field hides a method of the list, or another prototype does. */
  readonly brokenList: boolean;
}

/** What a list of patches is compared with: a reference, and the state in its memory. */
class Follower {
  readonly #reference: Reference;
  #state: unknown;

  constructor(reference: Reference, start: string | undefined) {
    this.#reference = reference;
    this.#state = parsed(start);
  }

  /** Applies a patch; the difference to what we made of it, if there is one, after which it goes on from ours. */
  follow(before: PlainObject | undefined, patch: string, ours: string | undefined): Difference | undefined {
    const memory = memoryOf(this.#state);
    let theirs: Difference['theirs'];
    try {
      this.#state = this.#reference.applyPatch(this.#state, JSON.parse(patch) as Patch);
      theirs = written(this.#state, before);
    } catch (error) {
      theirs = { thrown: (error as Error).message };
    }
    if (sameJson(theirs, ours)) return undefined;
    this.#state = parsed(ours);
    const { name } = this.#reference;
    return { reference: name, before, patch: JSON.parse(patch) as Patch, memory, theirs, ours };
  }
}

/**
 * Applies patches one after another, as each reference does and as we do, and compares after each. References keep what
 * is in memory from patch to patch, as a client does.
 */
export function compareList(
  references: readonly Reference[],
  start: PlainObject | undefined,
  patches: Iterable<Patch>,
  apply: ApplyPatch,
): { readonly differences: Difference[]; readonly end: PlainObject | undefined } {
  const followers = references.map((reference) => new Follower(reference, JSON.stringify(start)));
  const differences: Difference[] = [];
  let state = start;
  for (const patch of patches) {
    const text = JSON.stringify(patch);
    const before = state;
    state = apply(state, JSON.parse(text) as Patch);
    const ours = JSON.stringify(state);
    for (const follower of followers) {
      const difference = follower.follow(before, text, ours);
      if (difference) differences.push(difference);
    }
  }
  return { differences, end: state };
}

/** An object that is set a field that it had once has its fields in another order here and there; nobody looks at that. */
function sameJson(theirs: Difference['theirs'], ours: string | undefined): boolean {
  if (theirs === ours) return true;
  if (typeof theirs !== 'string' || ours === undefined || theirs.length !== ours.length) return false;
  if (theirs.startsWith(OVERLONG)) return false;
  return JSON.stringify(canonical(JSON.parse(theirs))) === JSON.stringify(canonical(JSON.parse(ours)));
}

const OVERLONG = '[a list of ';

const parsed = (text: string | undefined): unknown => (text === undefined ? undefined : JSON.parse(text));

/** A list with gigabytes of holes has no JSON that anybody could compare. */
function written(state: unknown, before: PlainObject | undefined): string | undefined {
  const room = (Array.isArray(before) ? before.length : 0) + maxListGap + 1_000;
  if (Array.isArray(state) && state.length > room) return `${OVERLONG}${state.length}]`;
  return JSON.stringify(state);
}

const methods = [
  'constructor',
  'push',
  'splice',
  'indexOf',
  'lastIndexOf',
  'findIndex',
  'some',
  'forEach',
  'toJSON',
];

function memoryOf(state: unknown): ReferenceMemory {
  if (!Array.isArray(state)) return { hole: false, brokenList: false };
  return {
    hole: Array.prototype.includes.call(state, undefined),
    brokenList:
      Object.getPrototypeOf(state) !== Array.prototype || methods.some((name) => Object.hasOwn(state, name)),
  };
}
