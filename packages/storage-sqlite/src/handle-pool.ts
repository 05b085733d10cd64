import type { OpenDatabase } from './database-file.js';

/** Keeps a bounded number of database files open: the ones used last. */
export class HandlePool {
  readonly #limit: number;
  readonly #open: (path: string) => OpenDatabase;
  /** By path; the one used longest ago comes first. */
  readonly #handles = new Map<string, OpenDatabase>();

  constructor(limit: number, open: (path: string) => OpenDatabase) {
    this.#limit = limit;
    this.#open = open;
  }

  get size(): number {
    return this.#handles.size;
  }

  /** The handle if it is open. Good until the next call on the pool. */
  find(path: string): OpenDatabase | undefined {
    const handle = this.#handles.get(path);
    if (!handle) return undefined;
    this.#handles.delete(path);
    this.#handles.set(path, handle);
    return handle;
  }

  /** The handle, opened now if need be; another is closed for it where too many are. Good until the next call. */
  use(path: string): OpenDatabase {
    const known = this.find(path);
    if (known) return known;
    for (const [oldest] of this.#handles) {
      if (this.#handles.size < this.#limit) break;
      this.close(oldest);
    }
    const opened = this.#open(path);
    this.#handles.set(path, opened);
    return opened;
  }

  close(path: string): void {
    const handle = this.#handles.get(path);
    this.#handles.delete(path);
    handle?.close();
  }

  closeAll(): void {
    for (const path of [...this.#handles.keys()]) this.close(path);
  }
}
