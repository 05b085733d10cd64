import { deleteEvictedFiles } from '../files/clean-up.js';
import { emptyHead } from '../storage/empty-head.js';
import type { LiveLibrary } from './live-library.js';
import { keepRequests, loadState } from './state.js';

/** How long at a time the storage may delete what was evicted. */
const RECLAIM_MS = 10;

/**
 * Delete what the server holds of a library. Afterwards nothing that was under way from an earlier connection is
 * stored, and everybody who was connected is disconnected. Files and disk space follow in slices.
 */
export async function evictLibrary(library: LiveLibrary): Promise<void> {
  // After a failure the library is read again: it may have been evicted before, beneath what was known here.
  const again = () => startEpoch(library);
  await again().catch(again).catch(again);
  library.log.info?.({ epoch: library.state.head.epoch }, 'A library is evicted.');
  library.services.events.emit('evicted', { libraryId: library.id });
  await reclaimSpace(library);
}

/**
 * Delete the files of what was evicted, and give its space, and that of what was staged in vain, back, slice by slice,
 * between batches. What a crash, or a file storage that failed, left undone is taken up when the library is next opened.
 */
export async function reclaimSpace(library: LiveLibrary): Promise<void> {
  library.hold();
  try {
    if (library.state.head.epoch > 0) await deleteEvictedFiles(library);
    while (await library.exclusively(() => library.storage.reclaim(RECLAIM_MS))) {
      // The next slice takes its turn behind what came meanwhile.
    }
  } catch (error) {
    library.log.error?.({ err: error }, 'Reclaiming the space of a library failed; it will be tried again.');
  } finally {
    library.release();
  }
}

const startEpoch = (library: LiveLibrary): Promise<void> =>
  library.exclusively(async () => {
    const { head } = library.state;
    if (head.version > 0) await library.storage.evict({ ...emptyHead, epoch: head.epoch + 1, version: 1 });
    const before = library.state;
    library.state = await loadState(library.storage, library.activeSince);
    // A request of the epoch before may come once more: its timestamp still proves nothing.
    keepRequests(library.state, before);
    library.disconnectAll('The library was evicted. Connect again to restore it.');
  });
