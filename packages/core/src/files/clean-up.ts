import type { LiveLibrary } from '../library/live-library.js';

const BATCH = 100;

/**
 * Delete files that nothing has referred to for long enough: bytes first, then the record, so that what fails stays
 * pending. Stops as soon as somebody connects, who might refer to one of them again.
 */
export async function deleteExpiredFiles(library: LiveLibrary): Promise<void> {
  const { services, storage, log, id: libraryId } = library;
  const { fileStorage, scheduler, settings } = services;
  if (!fileStorage || library.state.head.version === 0) return;
  try {
    const expired = await storage.expiredFiles(scheduler.now() - settings.fileExpiryMs, BATCH);
    const { epoch } = library.state.head;
    const deleted: string[] = [];
    for (const { id, name, type } of expired) {
      if (!library.roll.isEmpty || library.state.head.epoch !== epoch) break;
      try {
        await fileStorage.delete({ id, libraryId, name, type });
        deleted.push(id);
      } catch (error) {
        log.error?.({ fileId: id, err: error }, 'A file could not be deleted; it will be tried again.');
      }
    }
    if (deleted.length === 0) return;
    await library.exclusively(async () => {
      const { head } = library.state;
      if (head.epoch !== epoch) return;
      await library.commit({ head: { ...head, version: head.version + 1 }, removeFiles: deleted });
    });
    log.debug?.({ files: deleted.length }, 'Files that nothing refers to are deleted.');
  } catch (error) {
    log.error?.({ err: error }, 'Deleting files that nothing refers to failed; it will be tried again.');
  }
}

/** Delete the bytes of files of evicted epochs, unless the library has since been given a file of the same id. */
export async function deleteEvictedFiles(library: LiveLibrary): Promise<void> {
  const { services, storage, log, id: libraryId } = library;
  const { fileStorage } = services;
  for (;;) {
    const files = await storage.evictedFiles(BATCH);
    if (files.length === 0) return;
    const gone: string[] = [];
    for (const { id, name, type } of files) {
      try {
        if (fileStorage && (await storage.readFile(id)) === null) {
          await fileStorage.delete({ id, libraryId, name, type });
        }
        gone.push(id);
      } catch (error) {
        log.error?.(
          { fileId: id, err: error },
          'A file of an evicted library could not be deleted; it will be tried again.',
        );
      }
    }
    if (gone.length > 0) await storage.forgetEvictedFiles(gone);
    if (gone.length < files.length) return;
  }
}
