export type { LibraryStorage, Storage } from '@verdant-web/core';
export { memoryStorage } from '@verdant-web/core/memory';
export {
  type Durability,
  type SqlShardStorageOptions,
  type SqlStorageOptions,
  sqlShardStorage,
  sqlStorage,
} from '@verdant-web/storage-sqlite';
