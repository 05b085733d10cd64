export {
  type ChangeInfo,
  createVerdant,
  defaultLimits,
  type FileInfo,
  type FileStorage,
  type Library,
  type LibraryInfo,
  type LibraryPresence,
  type Limits,
  type LogFields,
  type LogFunction,
  type Logger,
  type LogLevel,
  type ReplicaInfo,
  type Storage,
  type StoredFile,
  type UserProfiles,
  type Verdant,
  type VerdantEventMap,
  type VerdantEvents,
  type VerdantOptions,
} from '@verdant-web/core';
export { LocalFileStorage, type LocalFileStorageOptions } from '@verdant-web/files-local';
export { ReplicaType, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
export {
  TokenProvider,
  type TokenProviderOptions,
  type TokenRequest,
  TokenVerifier,
  type TokenVerifierOptions,
  type VerifiedToken,
} from '@verdant-web/tokens';
