import { applyOperations, applyPatch, type Patch, type PlainObject } from '@verdant-web/protocol';
import { Random } from '../../simulation/random.js';
import { type ApplyPatch, compareList, type Difference } from './compare-list.js';
import { Coverage } from './coverage.js';
import { decidedDifferences, memoryDifferences } from './decided-differences.js';
import { judge } from './judge.js';
import { randomPatch, randomState } from './random-patches.js';
import { openReferences, type ReferenceName } from './references.js';

/** What a run found. */
export interface Findings {
  readonly lists: number;
  readonly patches: number;
  readonly coverage: Coverage;
  /** By the name of a decided difference, how often it was seen with each reference. */
  readonly seen: ReadonlyMap<string, ReadonlyMap<ReferenceName, number>>;
  /** Decided differences that were not seen: the table is wrong, or the run too short. */
  readonly unseen: readonly string[];
  /** The first ones that nobody has decided, each with the list that it is from. */
  readonly undecided: readonly { readonly list: number; readonly difference: Difference }[];
  /** Lists that were not the same in one go as patch by patch, or in which a patch changed what it was given. */
  readonly unsteady: readonly number[];
}

const most = 20;

/**
 * Makes lists of patches, from `first` on: each number and seed is always the same list. Compares what the server makes
 * of each patch with all references. `apply` is there for a test to break.
 */
export function fuzzPatches(options: {
  seed: number;
  lists: number;
  first?: number;
  apply?: ApplyPatch;
}): Findings {
  const { seed, lists, first = 0, apply = applyPatch } = options;
  const references = openReferences();
  const coverage = new Coverage();
  const seen = new Map<string, Map<ReferenceName, number>>();
  const undecided: { list: number; difference: Difference }[] = [];
  const unsteady: number[] = [];
  let patches = 0;

  for (let list = first; list < first + lists; list++) {
    const random = new Random(seed, `patches ${list}`);
    const start = randomState(random);
    const written: Patch[] = [];
    let state = start;
    let deleted = false;
    const write = function* (): Generator<Patch> {
      for (let left = random.between(1, 20); left > 0; left--) {
        const patch = randomPatch(random, state);
        coverage.add(state, deleted, patch);
        written.push(patch);
        yield patch;
        deleted = patch.op === 'delete' || (deleted && state === undefined);
      }
    };
    const startText = JSON.stringify(start);
    const { differences } = compareList(references, start, write(), (before, patch) => {
      state = apply(before, patch);
      return state;
    });
    patches += written.length;
    if (!isSteady(startText, start, written, state, apply)) unsteady.push(list);
    for (const difference of differences) {
      const name = judge(difference, references);
      if (name === null) {
        if (undecided.length < most) undecided.push({ list, difference });
      } else {
        const counts = seen.get(name) ?? new Map<ReferenceName, number>();
        counts.set(difference.reference, (counts.get(difference.reference) ?? 0) + 1);
        seen.set(name, counts);
      }
    }
  }

  const names = [...decidedDifferences, ...Object.values(memoryDifferences)].map(({ name }) => name);
  const unseen = names.filter((name) => !seen.has(name));
  return { lists, patches, coverage, seen, unseen, undecided, unsteady };
}

function isSteady(
  startText: string | undefined,
  start: PlainObject | undefined,
  patches: readonly Patch[],
  end: PlainObject | undefined,
  apply: ApplyPatch,
): boolean {
  if (apply !== applyPatch) return true;
  const before = JSON.stringify(patches);
  const inOneGo = applyOperations(start, patches);
  return (
    JSON.stringify(inOneGo) === JSON.stringify(end) &&
    JSON.stringify(patches) === before &&
    JSON.stringify(start) === startText
  );
}
