export { type SqlStorageOptions, sqlStorage } from './file-storage.js';
export type { Durability } from './pragmas.js';
export { type SqlShardStorageOptions, sqlShardStorage } from './shard-storage.js';
