import {
  type AuthzKey,
  applyPatch,
  fileIdsIn,
  type Oid,
  type Patch,
  type PlainObject,
  releasedFiles,
  type ServerOrder,
} from '@verdant-web/protocol';
import type { BaselineRow, Head, OperationRow } from '../storage/rows.js';
import type { LibraryChange } from '../storage/storage.js';
import { fits } from './fits.js';

/** What folding some operations changes. */
export interface RebasePlan {
  /** Server orders of the operations that leave the log. */
  fold: ServerOrder[];
  baselines: BaselineRow[];
  /** Objects that ended deleted, and had a baseline. */
  removeBaselines: Oid[];
  /** Files that are no longer referred to by the object that did. */
  releasedFiles: string[];
  /** Files that are referred to by an object that did not. */
  usedFiles: string[];
  foldedThrough: ServerOrder;
  /** Objects that all of these operations would make larger than can be stored. */
  tooLarge: Oid[];
}

/**
 * Fold operations, grouped by object and in timestamp order, into the objects' baselines.
 *
 * An object that ends deleted, or was never initialised, has no baseline: a change that arrives late finds nothing, on
 * the server as on clients. A patch that does not fit its object changes nothing, and one that makes its object larger than can be stored stays in the log with
 * all that follow it, so no document can stop a rebase.
 */
export function planRebase(
  operations: readonly OperationRow[],
  baselines: readonly BaselineRow[],
  maxValueBytes: number,
): RebasePlan {
  const plan: RebasePlan = {
    fold: [],
    baselines: [],
    removeBaselines: [],
    releasedFiles: [],
    usedFiles: [],
    foldedThrough: 0,
    tooLarge: [],
  };
  const before = new Map(baselines.map((row) => [row.oid, row]));
  for (let i = 0; i < operations.length; ) {
    const { oid } = operations[i]!;
    let end = i;
    while (end < operations.length && operations[end]!.oid === oid) end++;
    const object = { oid, baseline: before.get(oid) ?? null, maxValueBytes };
    foldObject(object, operations.slice(i, end), plan);
    i = end;
  }
  return plan;
}

interface FoldedObject {
  oid: Oid;
  baseline: BaselineRow | null;
  maxValueBytes: number;
}

function foldObject(object: FoldedObject, operations: readonly OperationRow[], plan: RebasePlan): void {
  const { oid, baseline, maxValueBytes } = object;
  const before = objectOf(baseline);
  const released = new Set<string>();
  const { state, authz } = applyRows(before, afterBaseline(baseline, operations), released);
  const snapshot = JSON.stringify(state);
  if (state !== undefined && !fits(snapshot, maxValueBytes)) {
    const count = countFitting(object, operations);
    plan.tooLarge.push(oid);
    if (count > 0) foldObject(object, operations.slice(0, count), plan);
    return;
  }
  const filesBefore = fileIdsIn(before.state);
  for (const row of operations) {
    plan.fold.push(row.order);
    plan.foldedThrough = Math.max(plan.foldedThrough, row.order);
  }
  const filesAfter = new Set(fileIdsIn(state));
  plan.releasedFiles.push(...[...released].filter((id) => !filesAfter.has(id)));
  plan.usedFiles.push(...[...filesAfter].filter((id) => !filesBefore.includes(id)));
  if (state === undefined) {
    if (baseline) plan.removeBaselines.push(oid);
    return;
  }
  const last = operations.at(-1)!.timestamp;
  const timestamp = baseline && baseline.timestamp > last ? baseline.timestamp : last;
  plan.baselines.push({ oid, snapshot, timestamp, authz });
}

/** After how many of the operations the object can be stored and after one more it cannot, where it cannot after all. */
function countFitting(
  { baseline, maxValueBytes }: FoldedObject,
  operations: readonly OperationRow[],
): number {
  let count = 0;
  for (let beyond = operations.length; beyond - count > 1; ) {
    const middle = (count + beyond) >> 1;
    const rows = afterBaseline(baseline, operations.slice(0, middle));
    const { state } = applyRows(objectOf(baseline), rows);
    if (state === undefined || fits(JSON.stringify(state), maxValueBytes)) count = middle;
    else beyond = middle;
  }
  return count;
}

/** An object at some time. */
export interface ObjectNow {
  /** Undefined: it was never initialised, or is deleted. */
  readonly state: PlainObject | undefined;
  readonly authz: AuthzKey | null;
}

/** The object that a baseline holds. */
export const objectOf = (baseline: BaselineRow | null): ObjectNow => ({
  state: baseline ? (JSON.parse(baseline.snapshot) as PlainObject) : undefined,
  authz: baseline?.authz ?? null,
});

/**
 * Without those that are part of the baseline already: made from it on the device that founded the library, or so late
 * that what was stored with them took their place.
 */
export const afterBaseline = (
  baseline: BaselineRow | null,
  operations: readonly OperationRow[],
): readonly OperationRow[] =>
  baseline ? operations.filter(({ timestamp }) => timestamp > baseline.timestamp) : operations;

/** The object after these operations, in their order. Adds the files to `released` that they drop. */
export function applyRows(
  before: ObjectNow,
  operations: readonly OperationRow[],
  released = new Set<string>(),
): ObjectNow {
  let { state, authz } = before;
  for (const row of operations) {
    const patch = JSON.parse(row.data) as Patch;
    // Of a private document that was deleted, where somebody made a public one of its key since: what is not to be seen
    // must not get into what is.
    if (patch.op !== 'initialize' && row.authz !== null && row.authz !== authz) continue;
    for (const id of releasedFiles(state, patch)) released.add(id);
    state = applyPatch(state, patch);
    if (patch.op === 'initialize') authz = row.authz;
  }
  return { state, authz };
}

/** The commit that carries a plan out. `now`: wall-clock ms, from which released files wait to be deleted. */
export function rebaseChange(
  head: Head,
  plan: RebasePlan,
  known: readonly BaselineRow[],
  now: number,
): LibraryChange {
  const { epoch, version } = head;
  const had = new Set(known.map(({ oid }) => oid));
  const added = plan.baselines.filter(({ oid }) => !had.has(oid)).length;
  return {
    expect: { epoch, version },
    head: {
      ...head,
      version: version + 1,
      foldedThrough: Math.max(head.foldedThrough, plan.foldedThrough),
      operations: head.operations - plan.fold.length,
      baselines: head.baselines + added - plan.removeBaselines.length,
    },
    fold: plan.fold,
    baselines: plan.baselines,
    removeBaselines: plan.removeBaselines,
    markFiles: [
      ...(plan.releasedFiles.length > 0 ? [{ ids: plan.releasedFiles, pendingDeleteAt: now }] : []),
      ...(plan.usedFiles.length > 0 ? [{ ids: plan.usedFiles, pendingDeleteAt: null }] : []),
    ],
  };
}
