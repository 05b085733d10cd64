import { createMigration } from '@verdant-web/store';
import v1Schema, { type MigrationTypes as V1Types } from '../client/schemaVersions/v1.js';

// The first one has nothing to move; it could put in what a new user finds.
export default createMigration<V1Types>(v1Schema, async () => {});
