export type { FileStorage, StoredFile } from './files/file-storage.js';
export type { Logger, LogLevel } from './logger.js';
export type {
  AccessRow,
  BaselineRow,
  FileRow,
  Head,
  OperationKey,
  OperationRow,
  PendingReply,
  ReplicaRow,
} from './storage/rows.js';
export type {
  CommitResult,
  DocumentRows,
  Facts,
  Foldable,
  FoldQuery,
  LibraryChange,
  LibraryStorage,
  Lookup,
  Storage,
  StorageLimits,
} from './storage/storage.js';
