import type { LiveLibrary } from '../library/live-library.js';

const BATCH = 100;

/**
 * Delete files that nothing has referred to for long enough: bytes first, then the record, so that what fails stays
 * pending. Stops as soon as somebody connects, who might refer to one of them again. Resolves to how many were deleted.
 */
export async function deleteExpiredFiles(library: LiveLibrary): Promise<number> {
  const { services, state, log } = library;
  let deleted = 0;
  if (!services.fileStorage || state.head.version === 0) return deleted;
  try {
    for (let found = await expired(library); found.length > 0; found = await expired(library)) {
      const before = deleted;
      for (const id of found) if (await deleteWhenExpired(library, id)) deleted++;
      // What is left of them failed, or is in use.
      if (deleted < before + found.length) break;
    }
  } catch (error) {
    log.error?.({ err: error }, 'Deleting files that nothing refers to failed; it will be tried again.');
  }
  if (deleted > 0) log.debug?.({ files: deleted }, 'Files that nothing refers to are deleted.');
  return deleted;
}

const expired = async ({ storage, services: { scheduler, settings } }: LiveLibrary): Promise<string[]> => {
  const rows = await storage.expiredFiles(scheduler.now() - settings.fileExpiryMs, BATCH);
  return rows.map(({ id }) => id);
};

/** Whether it was. Not while it is uploaded again. */
const deleteWhenExpired = async (library: LiveLibrary, id: string): Promise<boolean> => {
  const { services, storage, log, id: libraryId, files } = library;
  const { fileStorage, scheduler, settings } = services;
  if (files.turns.isTaken(id) || !library.roll.isEmpty) return false;
  library.hold();
  try {
    return await files.turns.take(id, async () => {
      const { epoch } = library.state.head;
      // Since it was found, somebody may have come, referred to it, and left.
      const row = await storage.readFile(id);
      if (row?.pendingDeleteAt == null || row.pendingDeleteAt > scheduler.now() - settings.fileExpiryMs)
        return false;
      if (!library.roll.isEmpty) return false;
      const { name, type } = row;
      await fileStorage?.delete({ id, libraryId, name, type });
      await library.exclusively(async () => {
        if (library.state.head.epoch === epoch) await files.record(id, null);
      });
      return true;
    });
  } catch (error) {
    log.error?.({ fileId: id, err: error }, 'A file could not be deleted; it will be tried again.');
    return false;
  } finally {
    library.release();
  }
};

/** Delete the bytes of files of evicted epochs, unless the library has since been given a file of the same id. */
export async function deleteEvictedFiles(library: LiveLibrary): Promise<void> {
  const { services, storage, log, id: libraryId, files } = library;
  const { fileStorage } = services;
  for (;;) {
    const rows = await storage.evictedFiles(BATCH);
    if (rows.length === 0) return;
    const gone: string[] = [];
    for (const { id, name, type } of rows) {
      // Uploaded again: when that is recorded, the evicted record goes by itself.
      if (files.turns.isTaken(id)) continue;
      try {
        await files.turns.take(id, async () => {
          if (fileStorage && (await storage.readFile(id)) === null) {
            await fileStorage.delete({ id, libraryId, name, type });
          }
        });
        gone.push(id);
      } catch (error) {
        log.error?.(
          { fileId: id, err: error },
          'A file of an evicted library could not be deleted; it will be tried again.',
        );
      }
    }
    if (gone.length > 0) await storage.forgetEvictedFiles(gone);
    if (gone.length < rows.length) return;
  }
}
