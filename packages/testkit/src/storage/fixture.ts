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

/** As {@link StorageUnderTest}, of a storage whose data outlives the process. */
export interface DurableStorageUnderTest extends StorageUnderTest {
  /**
   * The command line of a program that opens a storage on the same data and hands it to `writeUntilKilled` of
   * `@verdant-web/testkit/writer`. The suite starts it while nothing else has the data open, and kills it.
   */
  writer: readonly [program: string, ...args: string[]];
  /** How much room the data takes where it is kept, in bytes. It may be an estimate, if evicting much can be seen in it. */
  diskBytes(): Promise<number>;
}

/** What the suite runs on, and what it has to know about it. */
export type StorageContractOptions = InMemoryContractOptions | DurableContractOptions;

interface CommonOptions {
  /** Names the suite. */
  name: string;
  /**
   * The size of the largest value that is tried, in bytes. Default: `limits.maxValueBytes`, or 16 MiB where that is less.
   * Set it to your limit where that is higher and your machine has the memory.
   */
  largeValueBytes?: number;
}

/** A storage that ends with its process: it is not killed, and takes no disk space and no handles. */
export interface InMemoryContractOptions extends CommonOptions {
  durable: false;
  /** An empty storage. Called once a test. */
  create(): Promise<StorageUnderTest>;
}

/** A storage whose acknowledged commits outlive `kill -9`. */
export interface DurableContractOptions extends CommonOptions {
  durable: true;
  /** An empty storage. Called once a test. */
  create(): Promise<DurableStorageUnderTest>;
  /** How many files and sockets it may hold open, however many libraries are. Default 256. */
  maxHandles?: number;
}

/** What a test works with. */
export interface StorageFixture<UnderTest extends StorageUnderTest = StorageUnderTest> {
  /** What `create` gave. */
  underTest: UnderTest;
  storage: Storage;
  /** As {@link StorageUnderTest.reopen}. */
  reopen(): Promise<Storage>;
  /** Opens a library of the first storage, to be written with little ceremony. */
  write(id?: string): Promise<Writer>;
}

/** Registers one test of the suite. */
export type StorageTest<UnderTest extends StorageUnderTest = StorageUnderTest> = (
  name: string,
  body: (fixture: StorageFixture<UnderTest>) => Promise<void>,
) => void;

/** Generous: a busy machine, and 10,000 libraries. */
const TIMEOUT_MS = 240_000;

export const storageTest =
  <UnderTest extends StorageUnderTest>(create: () => Promise<UnderTest>): StorageTest<UnderTest> =>
  (name, body) =>
    test(name, { timeout: TIMEOUT_MS }, async () => {
      const underTest = await create();
      try {
        await body(fixtureOf(underTest));
      } finally {
        await underTest.dispose();
      }
    });

export function fixtureOf<UnderTest extends StorageUnderTest>(
  underTest: UnderTest,
): StorageFixture<UnderTest> {
  const { storage } = underTest;
  const write = async (id = 'library') => Writer.open(storage, id as LibraryId);
  return { underTest, storage, reopen: () => underTest.reopen(), write };
}
