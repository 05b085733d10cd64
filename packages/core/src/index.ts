export type { MessageBus, MessageBusLimits, Unsubscribe } from './bus/message-bus.js';
export { createVerdant } from './create-verdant.js';
export type { ChangeInfo, VerdantEventMap, VerdantEvents } from './events.js';
export type {
  FileInventory,
  FileLocation,
  FileStorage,
  FoundBytes,
  IncomingFile,
  OpenedBytes,
  StoredFile,
} from './files/file-storage.js';
export type { OpenedFile } from './files/open-file.js';
export type { OrphanOptions, Orphans } from './files/orphans.js';
export type { Hibernation, RestingLibrary, RestingPresence, RestingSocket } from './hibernation.js';
export type { RestingDelivery, RestingSent } from './library/delivery.js';
export type { RestingLease } from './library/roll.js';
export { defaultLimits, type Limits } from './limits.js';
export { createLog, type Log, type LogMethod } from './log.js';
export type { LogFields, LogFunction, Logger, LogLevel } from './logger.js';
export type { Announced, LibraryPresence } from './presence/presence.js';
export type { UserProfiles } from './presence/profiles.js';
export { Refusals } from './refusals.js';
export type { RequestIntake } from './request-intake.js';
export type { Revocation } from './revocations.js';
export { type Scheduler, systemScheduler } from './scheduler.js';
export { emptyHead } from './storage/empty-head.js';
export type {
  AccessRow,
  BaselineRow,
  FileRow,
  Head,
  OperationKey,
  OperationRow,
  PendingReply,
  ReplicaRow,
  RevocationRow,
} from './storage/rows.js';
export type {
  BaselineText,
  CommitResult,
  DocumentRows,
  Facts,
  Foldable,
  FoldQuery,
  LibraryChange,
  LibraryStorage,
  Lookup,
  OperationText,
  StagedRows,
  StageId,
  Storage,
  StorageLimits,
} from './storage/storage.js';
export type { SocketSession, SocketTransport } from './transport.js';
export type {
  CallContext,
  FileInfo,
  Library,
  LibraryInfo,
  ReplicaInfo,
  Verdant,
  VerdantOptions,
} from './verdant.js';
