export { type SqlAccess, SqlDatabase } from './database.js';
export type { SqlDriver, SqlRow, SqlStatement, SqlValue } from './driver.js';
export { listLibraries } from './heads.js';
export { SqlLibraryStorage } from './library-storage.js';
export { OpenLibraries } from './open-libraries.js';
export { putRevocation, readRevocations } from './revocations.js';
export { APPLICATION_ID, assertSchemaVersion, createSchema, SCHEMA, SCHEMA_VERSION } from './schema.js';
export { WriteGroup } from './write-group.js';
