import type { LibraryId, UserId } from '@verdant-web/protocol';
import { deleteExpiredFiles } from '../files/clean-up.js';
import { afterIfAwake } from '../scheduler.js';
import type { Services } from '../services.js';
import type { Storage } from '../storage/storage.js';
import { reclaimSpace } from './evict.js';
import { LiveLibrary } from './live-library.js';

const TICK_MS = 5_000;
/** Replicas turn truant after days: there is no hurry to notice. */
const TRUANCY_TICK_MS = 60_000;
/** Where no library leaves memory by itself, nothing else is looked for. */
const RARE_TICK_MS = 3_600_000;
/** Idle libraries beyond this many leave memory before their time. */
const MAX_LIVE = 2_000;

/** The libraries that are in memory. Each is opened once, and leaves when nobody has used it for a while. */
export class LibraryRegistry {
  readonly #storage: Storage;
  readonly #services: Services;
  /** In order of last use. */
  readonly #live = new Map<LibraryId, Promise<LiveLibrary>>();
  readonly #closing = new Map<LibraryId, Promise<void>>();
  /** Idle ones, whose expired files are deleted before they leave. */
  readonly #leaving = new Set<LiveLibrary>();
  readonly #cancelTick: { cancel: () => void };
  #truancyTickAt = 0;

  constructor(storage: Storage, services: Services) {
    this.#storage = storage;
    this.#services = services;
    const { libraryIdleMs, truancyMs } = services.settings;
    const tickMs = Number.isFinite(libraryIdleMs)
      ? Math.min(TICK_MS, truancyMs / 4, Math.max(50, libraryIdleMs))
      : Math.min(RARE_TICK_MS, truancyMs / 4);
    const ticker = { cancel: () => {} };
    const tick = () => {
      ticker.cancel = afterIfAwake(services.scheduler, tickMs, () => {
        void this.#tick();
        tick();
      });
    };
    tick();
    this.#cancelTick = ticker;
  }

  /** Do something with the library, which stays in memory meanwhile. Rejects where its storage cannot be opened. */
  async use<Result>(id: LibraryId, task: (library: LiveLibrary) => Promise<Result>): Promise<Result> {
    const library = await this.hold(id);
    try {
      return await task(library);
    } finally {
      library.release();
    }
  }

  /** The library, which stays in memory until {@link LiveLibrary.release} is called. */
  async hold(id: LibraryId): Promise<LiveLibrary> {
    for (;;) {
      for (let closing = this.#closing.get(id); closing; closing = this.#closing.get(id)) await closing;
      const live = this.#live.get(id) ?? this.#open(id);
      this.#live.delete(id);
      this.#live.set(id, live);
      const library = await live;
      // It may have begun to leave memory while it was waited for.
      if (this.#live.get(id) !== live) continue;
      library.hold();
      return library;
    }
  }

  /** The library where it is in memory; else null. */
  async inMemory(id: LibraryId): Promise<LiveLibrary | null> {
    return (await this.#live.get(id)?.catch(() => null)) ?? null;
  }

  /** Polling devices of these are gone: of one user or (null) all, in one library or (null) all that are in memory. */
  async endLeases(of: { userId: UserId | null; libraryId: LibraryId | null }): Promise<void> {
    const { userId, libraryId } = of;
    const opened = libraryId === null ? [...this.#live.values()] : [this.#live.get(libraryId)];
    await Promise.all(
      opened.map(async (library) => (await library?.catch(() => null))?.roll.endLeasesOf(userId)),
    );
  }

  /** Resolves when no library has anything left to work off. */
  async drained(): Promise<void> {
    await Promise.all(
      [...this.#live.values()].map(async (opened) => (await opened.catch(() => null))?.drained()),
    );
  }

  /** Every library leaves memory. */
  async close(): Promise<void> {
    this.#cancelTick.cancel();
    await Promise.all(this.#closing.values());
    await Promise.all([...this.#live.keys()].map((id) => this.#close(id)));
  }

  #open(id: LibraryId): Promise<LiveLibrary> {
    const opened = this.#storage.open(id).then((storage) => LiveLibrary.open(id, storage, this.#services));
    void opened.then(reclaimSpace, () => {});
    // One that could not be opened is tried again by the next who asks.
    opened.catch(() => {
      if (this.#live.get(id) === opened) this.#live.delete(id);
    });
    this.#live.set(id, opened);
    return opened;
  }

  async #tick(): Promise<void> {
    const now = this.#services.scheduler.now();
    const looksForTruants = now >= this.#truancyTickAt;
    if (looksForTruants) {
      this.#truancyTickAt = now + Math.min(TRUANCY_TICK_MS, this.#services.settings.truancyMs / 4);
    }
    let surplus = this.#live.size - MAX_LIVE;
    for (const [id, opened] of [...this.#live]) {
      const library = await opened.catch(() => null);
      if (!library || this.#live.get(id) !== opened) continue;
      if (looksForTruants) library.tick();
      const since = library.idleSince;
      if (since === null) continue;
      if (surplus > 0 || now - since >= this.#services.settings.libraryIdleMs) {
        surplus--;
        void this.#leave(id, library);
      }
    }
  }

  /** The library leaves memory, unless somebody comes meanwhile. */
  async #leave(id: LibraryId, library: LiveLibrary): Promise<void> {
    if (this.#leaving.has(library)) return;
    this.#leaving.add(library);
    await deleteExpiredFiles(library);
    this.#leaving.delete(library);
    const live = await this.#live.get(id)?.catch(() => null);
    if (live === library && library.idleSince !== null) await this.#close(id);
  }

  #close(id: LibraryId): Promise<void> {
    const opened = this.#live.get(id);
    this.#live.delete(id);
    const closed = (async () => {
      try {
        const library = await opened;
        await library?.close();
        library?.log.debug?.({}, 'A library has left memory.');
      } catch (error) {
        this.#services.log.error?.({ libraryId: id, err: error }, 'A library could not be closed.');
      }
      this.#closing.delete(id);
    })();
    this.#closing.set(id, closed);
    return closed;
  }
}
