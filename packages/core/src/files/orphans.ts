import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { LibraryRegistry } from '../library/registry.js';
import type { Services } from '../services.js';
import type { Storage } from '../storage/storage.js';
import type { FileInventory } from './file-storage.js';

/** Options of `core.files.deleteOrphans`. */
export interface OrphanOptions {
  /** Younger bytes stay: their upload may be under way. At least 1. Default 24. */
  olderThanHours?: number;
  /** Only count. Default false. */
  dryRun?: boolean;
}

/** What `core.files.deleteOrphans` found. */
export interface Orphans {
  files: number;
  bytes: number;
}

/**
 * Delete bytes that no record tells of: what a crash left between bytes and record, files of evicted libraries that could
 * not be deleted then, and halves of uploads. Where a library cannot be read nothing is deleted at all.
 */
export async function deleteOrphans(
  storage: Storage,
  registry: LibraryRegistry,
  { fileStorage, scheduler, log }: Services,
  { olderThanHours = 24, dryRun = false }: OrphanOptions,
): Promise<Orphans> {
  const inventory = fileStorage?.inventory;
  if (!inventory) throw configuration('the fileStorage of createVerdant has no inventory.');
  if (!(olderThanHours >= 1)) throw configuration('olderThanHours has to be a number of at least 1.');
  const before = scheduler.now() - olderThanHours * 3_600_000;
  const known = await recordedKeys(storage, registry, inventory);
  const orphans: Orphans = { files: 0, bytes: 0 };
  for await (const found of inventory.list()) {
    if (found.modifiedAt >= before || known.has(hashOf(found.key))) continue;
    if (!dryRun) {
      try {
        await inventory.remove(found);
      } catch (error) {
        log.error?.({ err: error }, 'Bytes that no record tells of could not be deleted.');
        continue;
      }
    }
    orphans.files++;
    orphans.bytes += found.size;
  }
  return orphans;
}

/** Hashes, for there may be millions. Two keys of one hash keep an orphan alive, and harm nothing. */
const recordedKeys = async (
  storage: Storage,
  registry: LibraryRegistry,
  inventory: FileInventory,
): Promise<Set<number>> => {
  const known = new Set<number>();
  for await (const libraryId of storage.list()) {
    await registry.use(libraryId, async (library) => {
      for await (const page of library.storage.readFiles()) {
        for (const { id, name, type } of page)
          known.add(hashOf(inventory.keyOf({ libraryId, id, name, type })));
      }
    });
  }
  return known;
};

/** 53 bits of two FNV-1a hashes, one of which starts elsewhere. */
const hashOf = (text: string): number => {
  let one = 0x811c9dc5;
  let other = 0x9e3779b9;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ unit, 0x01000193) ^ (other >>> 15);
  }
  return (one >>> 0) * 0x200000 + (other >>> 11);
};

const configuration = (problem: string) =>
  new VerdantError(VerdantErrorCode.Configuration, `core.files.deleteOrphans: ${problem}`);
