import type { LibraryId } from '@verdant-web/protocol';
import { afterIfAwake } from '../scheduler.js';
import type { Services } from '../services.js';

/** Soon after a start: a process that is replaced every day would never come to it otherwise. */
const FIRST_AFTER_MS = 3_600_000;
const EVERY_MS = 24 * 3_600_000;
/** Between two libraries, so that those who work in others do not feel it. */
const PAUSE_MS = 100;
/** Listed at once: no storage has to keep a listing open for hours. */
const PAGE = 1_000;

/** What {@link sweepDaily} works with. */
export interface SweepParts {
  services: Services;
  /** All libraries that come after one, or all, in order. */
  list: (after?: LibraryId) => AsyncIterable<LibraryId>;
  /** Deletes the expired files of one. Rejects where it cannot be opened. */
  deleteExpired: (id: LibraryId) => Promise<unknown>;
}

/**
 * Goes through all libraries once a day, one after the other, and deletes the expired files of those that nobody opens any
 * more. Does nothing where there is no file storage. The function that is returned ends it.
 */
export function sweepDaily({ services, list, deleteExpired }: SweepParts): () => void {
  const { scheduler, log, fileStorage } = services;
  let ended = fileStorage === null;
  let cancel = () => {};
  /** Does not resolve any more after the end. */
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      if (!ended) cancel = afterIfAwake(scheduler, ms, resolve);
    });

  const sweepOne = async (id: LibraryId) => {
    try {
      await deleteExpired(id);
    } catch (error) {
      if (!ended) log.error?.({ libraryId: id, err: error }, NOT_SWEPT);
    }
    await pause(PAUSE_MS);
  };

  const sweepAll = async () => {
    for (let page = await firstOf(list()); page.length > 0; page = await firstOf(list(page.at(-1))))
      for (const id of page) await sweepOne(id);
  };

  void (async () => {
    for (await pause(FIRST_AFTER_MS); ; await pause(EVERY_MS)) {
      await sweepAll().catch((error: unknown) => {
        if (!ended) log.error?.({ err: error }, NOT_LISTED);
      });
    }
  })();
  return () => {
    ended = true;
    cancel();
  };
}

const firstOf = async (listed: AsyncIterable<LibraryId>): Promise<LibraryId[]> => {
  const page: LibraryId[] = [];
  for await (const id of listed) if (page.push(id) === PAGE) break;
  return page;
};

const NOT_SWEPT = 'Expired files of a library could not be looked for; that is tried again tomorrow.';
const NOT_LISTED = 'Libraries could not be listed to delete expired files; that is tried again tomorrow.';
