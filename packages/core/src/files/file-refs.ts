import { fileIdsIn, type Patch } from '@verdant-web/protocol';

/** The files that a patch refers to. */
export function filesUsedBy(patch: Patch): string[] {
  if (!('value' in patch || 'values' in patch)) return [];
  const ids = 'value' in patch ? fileIdsIn([patch.value]) : [];
  if ('value' in patch && typeof patch.value === 'object' && patch.value !== null)
    ids.push(...fileIdsIn(patch.value));
  if ('values' in patch && patch.values) ids.push(...fileIdsIn(patch.values));
  return ids;
}
