export { copyLibrary } from './copy-library.js';
export { type SqlAccess, SqlDatabase } from './database.js';
export type { SqlDriver, SqlRow, SqlStatement, SqlValue } from './driver.js';
export { firstRelease } from './files.js';
export { evictedKeys, hasLibrary, listLibraries } from './heads.js';
export { type ImportedRows, LibraryImport } from './import-library.js';
export { SqlLibraryStorage } from './library-storage.js';
export { OpenLibraries } from './open-libraries.js';
export { putRevocation, readRevocations } from './revocations.js';
export {
  APPLICATION_ID,
  assertSchemaVersion,
  createSchema,
  SCHEMA,
  SCHEMA_VERSION,
  upgradeSchema,
} from './schema.js';
export { WriteGroup } from './write-group.js';
