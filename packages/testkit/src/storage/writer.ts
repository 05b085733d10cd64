import type { CommitResult, Head, LibraryChange, LibraryStorage, Storage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { expect } from 'vitest';
import { head } from './rows.js';

/** The rows of a change; the head is kept by the {@link Writer}. */
export type Rows = Omit<LibraryChange, 'expect' | 'head'>;

/** An open library together with its head, as the engine would hold them. */
export class Writer {
  readonly library: LibraryStorage;
  head: Head;

  private constructor(library: LibraryStorage, now: Head) {
    this.library = library;
    this.head = now;
  }

  static async open(storage: Storage, id: LibraryId): Promise<Writer> {
    const library = await storage.open(id);
    const loaded = await library.load(0);
    return new Writer(library, loaded?.head ?? head({ version: 0 }));
  }

  /** Commits, expecting that it is accepted. */
  async commit(rows: Rows, changes: Partial<Head> = {}): Promise<void> {
    const next = this.next(rows, changes);
    expect(await this.offer(rows, next)).toEqual({ ok: true });
    this.head = next;
  }

  /** Asks for a commit; the writer's own head stays as it is. */
  offer(
    rows: Rows,
    next: Head,
    expected: { epoch: number; version: number } = this.head,
  ): Promise<CommitResult> {
    const expect = { epoch: expected.epoch, version: expected.version };
    return this.library.commit({ expect, head: next, ...rows });
  }

  /** The head after these rows: counts are right as long as no row replaces another. */
  next(rows: Rows, changes: Partial<Head> = {}): Head {
    const { operations = [], baselines = [], removeBaselines = [], fold = [] } = rows;
    return {
      ...this.head,
      version: this.head.version + 1,
      founded: true,
      order: Math.max(this.head.order, ...operations.map((row) => row.order)),
      operations: this.head.operations + operations.length - fold.length,
      baselines: this.head.baselines + baselines.length - removeBaselines.length,
      ...changes,
    };
  }

  async evict(): Promise<void> {
    const next = head({ epoch: this.head.epoch + 1, version: 0 });
    await this.library.evict(next);
    this.head = next;
  }
}
