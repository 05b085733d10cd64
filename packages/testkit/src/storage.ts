import { describe } from 'vitest';
import { contracts, durableContracts } from './storage/contracts.js';
import { type StorageContractOptions, storageTest } from './storage/fixture.js';

export type {
  DurableContractOptions,
  DurableStorageUnderTest,
  InMemoryContractOptions,
  StorageContractOptions,
  StorageUnderTest,
} from './storage/fixture.js';

/**
 * Registers a vitest suite that proves a `Storage`: one that passes works with the engine. Each test gets a storage of
 * its own from `create`, and disposes of it. One that is `durable` is also killed half-way, watched for the disk space
 * and handles that it takes, and given 10,000 libraries.
 *
 * @example
 * ```ts
 * import { memoryStorage } from '@verdant-web/core/memory';
 * import { storageContract } from '@verdant-web/testkit/storage';
 *
 * storageContract({
 *   name: 'memory',
 *   durable: false,
 *   async create() {
 *     const storage = memoryStorage();
 *     return { storage, reopen: async () => storage, dispose: () => storage.close() };
 *   },
 * });
 * ```
 */
export function storageContract(options: StorageContractOptions): void {
  describe(`storage contract: ${options.name}`, () => {
    for (const [subject, contract] of Object.entries(contracts)) {
      describe(subject, () => contract(storageTest(options.create), options));
    }
    if (!options.durable) return;
    for (const [subject, contract] of Object.entries(durableContracts)) {
      describe(subject, () => contract(storageTest(options.create), options));
    }
  });
}
