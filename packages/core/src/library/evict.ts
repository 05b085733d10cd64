import type { LibraryId } from '@verdant-web/protocol';
import { deleteEvictedFiles } from '../files/clean-up.js';
import type { Log } from '../log.js';
import { emptyHead } from '../storage/empty-head.js';
import type { Storage } from '../storage/storage.js';
import type { LiveLibrary } from './live-library.js';
import type { LibraryRegistry } from './registry.js';
import { keepRequests, loadState } from './state.js';

/** How long at a time the storage may delete what was evicted. */
const RECLAIM_MS = 10;

/** What {@link evict} works with. */
export interface EvictParts {
  registry: LibraryRegistry;
  storage: Pick<Storage, 'setAside'>;
  log: Log;
}

/**
 * Delete what the server holds of a library. Afterwards nothing that was under way from an earlier connection is
 * stored, and everybody who was connected is disconnected. Files and disk space follow in slices. What is damaged is not
 * deleted but set aside, where the storage can.
 */
export async function evict(id: LibraryId, { registry, storage, log }: EvictParts): Promise<void> {
  const startAnew = () => registry.use(id, startEpochSurely);
  const setAside = async (error: unknown): Promise<boolean> => {
    const place = (await storage.setAside?.(id)) ?? null;
    if (place !== null)
      log.warn?.({ libraryId: id, path: place, err: error }, 'A damaged library is set aside.');
    return place !== null;
  };

  await startAnew().catch(async (error: unknown) => {
    if (!(await setAside(error))) throw error;
    await startAnew();
  });
  await registry.use(id, async (library) => {
    library.log.info?.({ epoch: library.state.head.epoch }, 'A library is evicted.');
    library.services.events.emit('evicted', { libraryId: id });
    try {
      await reclaim(library);
    } catch (error) {
      // Damage may be where only that comes. Who has founded the library anew by now does so again.
      if (await setAside(error)) await startEpochSurely(library);
      else library.log.error?.({ err: error }, NOT_RECLAIMED);
    }
  });
}

/**
 * Delete the files of what was evicted, and give its space, and that of what was staged in vain, back, slice by slice,
 * between batches. What a crash, or a file storage that failed, left undone is taken up when the library is next opened.
 */
export async function reclaimSpace(library: LiveLibrary): Promise<void> {
  try {
    await reclaim(library);
  } catch (error) {
    library.log.error?.({ err: error }, NOT_RECLAIMED);
  }
}

const NOT_RECLAIMED = 'Reclaiming the space of a library failed; it will be tried again.';

async function reclaim(library: LiveLibrary): Promise<void> {
  library.hold();
  try {
    if (library.state.head.epoch > 0) await deleteEvictedFiles(library);
    while (await library.exclusively(() => library.storage.reclaim(RECLAIM_MS))) {
      // The next slice takes its turn behind what came meanwhile.
    }
  } finally {
    library.release();
  }
}

/** After a failure the library is read again: it may have been evicted before, beneath what was known here. */
function startEpochSurely(library: LiveLibrary): Promise<void> {
  const again = () => startEpoch(library);
  return again().catch(again).catch(again);
}

const startEpoch = (library: LiveLibrary): Promise<void> =>
  library.exclusively(async () => {
    const { head } = library.state;
    if (head.version > 0) await library.storage.evict({ ...emptyHead, epoch: head.epoch + 1, version: 1 });
    const before = library.state;
    library.state = await loadState(library.storage, library.activeSince);
    // A request of the epoch before may come once more: its timestamp still proves nothing.
    keepRequests(library.state, before);
    library.evictedAt = library.services.scheduler.now();
    library.disconnectAll('The library was evicted. Connect again to restore it.');
  });
