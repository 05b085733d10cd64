import { describe } from 'vitest';
import { commitContract } from './storage/commits.js';
import { documentContract } from './storage/documents.js';
import { evictionContract } from './storage/eviction.js';
import { fileRecordContract } from './storage/file-records.js';
import { type StorageContractOptions, storageTest } from './storage/fixture.js';
import { foldingContract } from './storage/folding.js';
import { isolationContract } from './storage/isolation.js';
import { keyContract } from './storage/keys.js';
import { pageContract } from './storage/pages.js';
import { replicaContract } from './storage/replicas.js';
import { revocationContract } from './storage/revocations.js';
import { stagingContract } from './storage/staging.js';
import { textContract } from './storage/text.js';

export type { StorageContractOptions, StorageUnderTest } from './storage/fixture.js';

/**
 * Registers a vitest suite that proves a `Storage`: one that passes works with the engine. Each test gets a storage of
 * its own from `create`, and disposes of it.
 *
 * @example
 * ```ts
 * import { memoryStorage } from '@verdant-web/core/memory';
 * import { storageContract } from '@verdant-web/testkit/storage';
 *
 * storageContract({
 *   name: 'memory',
 *   async create() {
 *     const storage = memoryStorage();
 *     return { storage, reopen: async () => storage, dispose: () => storage.close() };
 *   },
 * });
 * ```
 */
export function storageContract(options: StorageContractOptions): void {
  describe(`storage contract: ${options.name}`, () => {
    const test = storageTest(options);
    describe('commits', () => commitContract(test));
    describe('replicas and access', () => replicaContract(test));
    describe('staging', () => stagingContract(test));
    describe('documents', () => documentContract(test));
    describe('pages', () => pageContract(test));
    describe('keys', () => keyContract(test));
    describe('folding', () => foldingContract(test));
    describe('file records', () => fileRecordContract(test));
    describe('eviction', () => evictionContract(test));
    describe('libraries', () => isolationContract(test));
    describe('revocations', () => revocationContract(test));
    describe('text', () => textContract(test, options));
  });
}
