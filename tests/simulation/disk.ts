import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Storage } from '@verdant-web/core';
import { memoryStorage } from '@verdant-web/core/memory';
import { sqlShardStorage, sqlStorage } from '@verdant-web/storage-sqlite';

export type DiskKind = 'memory' | 'a file for each library' | 'one file for all';

/** What outlives the server processes of a machine. */
export interface Disk {
  /** Opens the storage for a process that starts. The one before it has ended, however it did. */
  open(): Promise<Storage>;
  /** Nobody needs it any more. */
  remove(): Promise<void>;
}

export function createDisk(kind: DiskKind): Disk {
  return kind === 'memory' ? new MemoryDisk() : new SqliteDisk(kind);
}

class MemoryDisk implements Disk {
  readonly #storage = memoryStorage();

  async open(): Promise<Storage> {
    return this.#storage;
  }

  async remove(): Promise<void> {}
}

/** Real files, though in memory where the system has such a file system: nobody waits for a disk. */
class SqliteDisk implements Disk {
  readonly #kind: DiskKind;
  readonly #root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'verdant-simulation-'));
  #life = 0;
  #open: { storage: Storage; closed: boolean } | null = null;

  constructor(kind: DiskKind) {
    this.#kind = kind;
    mkdirSync(this.#directory);
  }

  async open(): Promise<Storage> {
    if (this.#open && !this.#open.closed) await this.#killed(this.#open.storage);
    const directory = this.#directory;
    const storage =
      this.#kind === 'one file for all'
        ? sqlStorage({ databaseFile: join(directory, 'verdant.sqlite') })
        : sqlShardStorage({ databasesDirectory: directory });
    const opened = { storage, closed: false };
    this.#open = opened;
    return {
      limits: storage.limits,
      open: (id) => storage.open(id),
      list: (after) => storage.list(after),
      readRevocations: () => storage.readRevocations(),
      putRevocation: (row) => storage.putRevocation(row),
      close: async () => {
        opened.closed = true;
        await storage.close();
      },
    };
  }

  async remove(): Promise<void> {
    if (this.#open && !this.#open.closed) await this.#open.storage.close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  get #directory(): string {
    return join(this.#root, String(this.#life));
  }

  /** The next process finds the files as the dead one left them, with their journals; its locks died with it. */
  async #killed(storage: Storage): Promise<void> {
    const left = this.#directory;
    this.#life++;
    cpSync(left, this.#directory, {
      recursive: true,
      filter: (path) => !path.endsWith('-shm') && !path.endsWith('lock'),
    });
    await storage.close();
    rmSync(left, { recursive: true, force: true });
  }
}
