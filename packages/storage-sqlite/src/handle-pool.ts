import type { OpenDatabase } from './database-file.js';

/** An open file takes some 270 KB; opening it again, a millisecond of the processor. */
const IDLE_MS = 60_000;
/** So many idle ones are closed at once, so often: each may have a log to copy into its file. */
const CLOSED_AT_ONCE = 2;
const CLOSING_MS = 50;

interface Handle {
  database: OpenDatabase;
  /** On the clock of `performance`. */
  usedAt: number;
}

/** Keeps a bounded number of database files open: the ones used last, and none for long that is not used. */
export class HandlePool {
  readonly #limit: number;
  readonly #open: (path: string) => OpenDatabase;
  /** By path; the one used longest ago comes first. */
  readonly #handles = new Map<string, Handle>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(limit: number, open: (path: string) => OpenDatabase) {
    this.#limit = limit;
    this.#open = open;
  }

  get size(): number {
    return this.#handles.size;
  }

  /** The handle if it is open. Good until the next call on the pool, or the next turn of the event loop. */
  find(path: string): OpenDatabase | undefined {
    const handle = this.#handles.get(path);
    if (!handle) return undefined;
    handle.usedAt = performance.now();
    this.#handles.delete(path);
    this.#handles.set(path, handle);
    return handle.database;
  }

  /** The handle, opened now if need be; another is closed for it where too many are. Good for as long. */
  use(path: string): OpenDatabase {
    const known = this.find(path);
    if (known) return known;
    for (const [oldest] of this.#handles) {
      if (this.#handles.size < this.#limit) break;
      this.close(oldest);
    }
    const database = this.#open(path);
    this.#handles.set(path, { database, usedAt: performance.now() });
    if (this.#timer === null) this.#closeIdleIn(IDLE_MS);
    return database;
  }

  close(path: string): void {
    const handle = this.#handles.get(path);
    this.#handles.delete(path);
    handle?.database.close();
  }

  closeAll(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const path of [...this.#handles.keys()]) this.close(path);
  }

  #closeIdleIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#closeIdle();
    }, ms).unref();
  }

  #closeIdle(): void {
    const now = performance.now();
    let closed = 0;
    for (const [path, { usedAt }] of this.#handles) {
      const left = usedAt + IDLE_MS - now;
      if (left > 0 || closed === CLOSED_AT_ONCE) {
        this.#closeIdleIn(Math.max(left, CLOSING_MS));
        return;
      }
      closed++;
      this.close(path);
    }
  }
}
