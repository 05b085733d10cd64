import { Authors } from './authors.js';
import type { SqlDatabase } from './database.js';
import { ObjectIndex } from './object-index.js';
import { Tail } from './tail.js';

/**
 * An epoch of a library, and what is held of it in memory while it is open. Where a transaction fails that it was used
 * in, it has to be dropped.
 */
export interface OpenEpoch {
  /** The library's key. */
  key: number;
  authors: Authors;
  objects: ObjectIndex;
  tail: Tail;
}

export function openEpoch(database: SqlDatabase, key: number): OpenEpoch {
  const authors = new Authors(database, key);
  return {
    key,
    authors,
    objects: new ObjectIndex(database, key),
    tail: new Tail(database, key, authors),
  };
}
