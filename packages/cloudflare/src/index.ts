export { DurableObjectLibrary, type DurableObjectLibraryOptions } from './durable-object-library.js';
export type {
  ObjectNamespace,
  ObjectSocket,
  ObjectSql,
  ObjectSqlCursor,
  ObjectState,
  ObjectStorageApi,
} from './platform.js';
export { R2FileStorage, type R2FileStorageOptions } from './r2-file-storage.js';
export type {
  Bucket,
  BucketMetadata,
  BucketObject,
  BucketObjectBody,
  BucketPage,
  BucketReadOptions,
} from './r2-platform.js';
export { type ServeR2FilesOptions, serveR2Files } from './serve-r2-files.js';
export { createVerdantWorkerApp, type VerdantWorkerAppOptions } from './worker-app.js';
