import {
  defaultMessageLimits,
  type Patch,
  type PlainObject,
  parseClientMessage,
} from '@verdant-web/protocol';
import type { Difference } from './compare-list.js';
import { type Case, decidedDifferences, memoryDifferences } from './decided-differences.js';
import type { Reference, ReferenceName } from './references.js';

/**
 * The name of the decided difference that this is; null: it is none, or the server does not do what was decided, or a
 * client could send what was thought to be refused.
 */
export function judge(difference: Difference, references: readonly Reference[]): string | null {
  const { before, patch, memory, ours } = difference;
  const reference = named(references, difference.reference);
  if (Object.values(memory).includes(true) && ours === onJson(reference, before, patch)) {
    return (memory.brokenList ? memoryDifferences.brokenList : memoryDifferences.hole).name;
  }
  const newest = named(references, 'client 5.5.0');
  const on: Case = {
    before,
    patch,
    reference: difference.reference,
    newest: (state, other) => newest.applyPatch(copy(state), copy(other) as Patch),
  };
  const decided = decidedDifferences.find(({ where }) => where(on));
  if (!decided || (decided.door === 'refused' && mayComeIn(before, patch))) return null;
  return JSON.stringify(decided.expected(on)) === ours ? decided.name : null;
}

function named(references: readonly Reference[], name: ReferenceName): Reference {
  const found = references.find((reference) => reference.name === name);
  if (!found) throw new Error(`There is no reference named ${name}`);
  return found;
}

const copy = <Value>(value: Value): Value =>
  value === undefined ? value : (JSON.parse(JSON.stringify(value)) as Value);

/** What a reference makes of a patch on a state that it just read. */
function onJson(
  { applyPatch }: Reference,
  before: PlainObject | undefined,
  patch: Patch,
): string | undefined {
  try {
    return JSON.stringify(applyPatch(copy(before), copy(patch)));
  } catch {
    return 'thrown';
  }
}

/** Whether a client can bring an object into this state, and send this patch. */
export function mayComeIn(before: PlainObject | undefined, patch: Patch): boolean {
  if (before !== undefined && (typeof before !== 'object' || before === null)) return false;
  const timestamp = ['0001', '000000001', '0000', 'node000'].join('');
  const operations = [{ oid: 'o/1', timestamp, data: patch }];
  try {
    parseClientMessage({ type: 'op', replicaId: 'r', timestamp, operations }, defaultMessageLimits);
    return true;
  } catch {
    return false;
  }
}
