import { Authors } from './authors.js';
import type { SqlDatabase } from './database.js';
import { ObjectIndex } from './object-index.js';

/**
 * An epoch of a library, and what is held of it in memory while it is open. Where a transaction fails that it was used
 * in, it has to be dropped.
 */
export interface OpenEpoch {
  /** The library's key. */
  key: number;
  authors: Authors;
  objects: ObjectIndex;
}

export const openEpoch = (database: SqlDatabase, key: number): OpenEpoch => ({
  key,
  authors: new Authors(database, key),
  objects: new ObjectIndex(database, key),
});
