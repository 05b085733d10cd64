import type { Storage } from '@verdant-web/core';
import type { LibraryId } from '@verdant-web/protocol';
import { test } from 'vitest';
import { Writer } from './writer.js';

/** A storage on data of its own, for one test. */
export interface StorageUnderTest {
  storage: Storage;
  /** Closes the storage, as far as it was not, and opens a new one on the same data, as a restarted server would. */
  reopen(): Promise<Storage>;
  /** Closes what is open and removes the data. */
  dispose(): Promise<void>;
}

export interface StorageContractOptions {
  /** Names the suite. */
  name: string;
  /** An empty storage. Called once a test. */
  create(): Promise<StorageUnderTest>;
  /** The size of a large value, in bytes. Default: 4 MiB, or `limits.maxValueBytes` where that is less. */
  largeValueBytes?: number;
}

/** What a test works with. */
export interface StorageFixture {
  storage: Storage;
  /** As {@link StorageUnderTest.reopen}. */
  reopen(): Promise<Storage>;
  /** Opens a library of the first storage, to be written with little ceremony. */
  write(id?: string): Promise<Writer>;
}

/** Registers one test of the suite. */
export type StorageTest = (name: string, body: (fixture: StorageFixture) => Promise<void>) => void;

const TIMEOUT_MS = 60_000;

export const storageTest =
  ({ create }: StorageContractOptions): StorageTest =>
  (name, body) =>
    test(name, { timeout: TIMEOUT_MS }, async () => {
      const { storage, reopen, dispose } = await create();
      try {
        const write = async (id = 'library') => Writer.open(storage, id as LibraryId);
        await body({ storage, reopen, write });
      } finally {
        await dispose();
      }
    });
