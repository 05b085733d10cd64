import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import type { SqlDriver } from './driver.js';

/** Marks a database as one of ours, in the header of its file: the `application_id` ("VRDT"). */
export const APPLICATION_ID = 0x56524454;

/** The layout that this version writes: the `user_version`. */
export const SCHEMA_VERSION = 4;

/**
 * One layout for one file per library and for one file for all: a library has an internal key, which leads the
 * primary key of every other table. Evicting a library gives it a new key; the rows of the old one are then out of
 * reach at once and are deleted at leisure.
 *
 * Measured on 100,000 operations over 10,000 objects, 1,000 a commit, `synchronous=FULL`: 290,000 rows/s without
 * a secondary index, 70,000 with the one by object (scattered), another 5 % and 25 % of the file for one by author
 * and timestamp. The one by object is needed to read a document and to fold, and finds a repeated operation too, so
 * it is the only one, and the newest operations are not in it.
 */
export const SCHEMA = `
CREATE TABLE library (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  version INTEGER NOT NULL,
  founded INTEGER NOT NULL,
  server_order INTEGER NOT NULL,
  folded_through INTEGER NOT NULL,
  announced_ack TEXT,
  sole_author TEXT,
  operations INTEGER NOT NULL,
  baselines INTEGER NOT NULL,
  -- Since layout 2.
  latest TEXT,
  horizon TEXT,
  -- Since layout 3.
  indexed_through INTEGER NOT NULL DEFAULT 0
);
-- The row of the highest epoch is the library; lower ones are evicted, and those below zero are staged.
CREATE UNIQUE INDEX library_by_id ON library (id, epoch);

-- Replica ids as small numbers, for the two tables with a row per operation.
CREATE TABLE author (
  library INTEGER NOT NULL,
  number INTEGER NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (library, number)
) WITHOUT ROWID;

CREATE TABLE operation (
  library INTEGER NOT NULL,
  server_order INTEGER NOT NULL,
  author INTEGER NOT NULL,
  oid TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  authz TEXT,
  data TEXT NOT NULL,
  -- Since layout 4, both null in most rows: see tail.ts.
  version INTEGER,
  acked_order INTEGER,
  PRIMARY KEY (library, server_order)
) WITHOUT ROWID;

-- Which operations each object has, up to the server order \`indexed_through\`: see object-index.ts.
CREATE TABLE object_operation (
  library INTEGER NOT NULL,
  oid TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  server_order INTEGER NOT NULL,
  PRIMARY KEY (library, oid, timestamp, server_order)
) WITHOUT ROWID;

-- Keys of folded operations. They are dropped by author, from the oldest on.
CREATE TABLE folded_key (
  library INTEGER NOT NULL,
  author INTEGER NOT NULL,
  timestamp TEXT NOT NULL,
  oid TEXT NOT NULL,
  PRIMARY KEY (library, author, timestamp, oid)
) WITHOUT ROWID;

CREATE TABLE baseline (
  library INTEGER NOT NULL,
  oid TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  authz TEXT,
  snapshot TEXT NOT NULL,
  PRIMARY KEY (library, oid)
) WITHOUT ROWID;

CREATE TABLE replica (
  library INTEGER NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  type INTEGER NOT NULL,
  acked_order INTEGER NOT NULL,
  acked_time TEXT,
  last_seen INTEGER NOT NULL,
  written_through TEXT,
  last_reset TEXT,
  -- Sync replies that wait for proof, as JSON.
  pending TEXT NOT NULL,
  PRIMARY KEY (library, id)
) WITHOUT ROWID;
CREATE INDEX replica_by_seen ON replica (library, last_seen);

CREATE TABLE access (
  library INTEGER NOT NULL,
  root TEXT NOT NULL,
  authz TEXT,
  deleted INTEGER NOT NULL,
  PRIMARY KEY (library, root)
) WITHOUT ROWID;

CREATE TABLE file (
  library INTEGER NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  -- Bytes; null where they were never measured.
  size INTEGER,
  pending_delete_at INTEGER,
  PRIMARY KEY (library, id)
) WITHOUT ROWID;
CREATE INDEX file_by_release ON file (library, pending_delete_at) WHERE pending_delete_at IS NOT NULL;
`;

/**
 * Creates the tables in an empty database. A driver with pragmas sets `auto_vacuum=INCREMENTAL` before, or space is
 * never given back, and `application_id` and `user_version` with it.
 */
export function createSchema(driver: SqlDriver): void {
  driver.transaction(() => driver.exec(SCHEMA));
}

/** Layouts before the present one, and how each becomes the next: with columns in the same order as in a new database. */
const UPGRADES: Record<number, string> = {
  // What a device was given with a reset it may have folded: all that there is.
  1: `
ALTER TABLE library ADD COLUMN latest TEXT;
ALTER TABLE library ADD COLUMN horizon TEXT;
UPDATE library SET latest = (
  SELECT max(timestamp) FROM (
    SELECT timestamp FROM operation WHERE library = key UNION ALL SELECT timestamp FROM baseline WHERE library = key
  )
) WHERE epoch >= 0;
UPDATE library SET horizon = max(coalesce(latest, announced_ack), coalesce(announced_ack, latest));`,
  // The index by object becomes a table that may be behind.
  2: `
CREATE TABLE object_operation (
  library INTEGER NOT NULL,
  oid TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  server_order INTEGER NOT NULL,
  PRIMARY KEY (library, oid, timestamp, server_order)
) WITHOUT ROWID;
INSERT INTO object_operation (library, oid, timestamp, server_order)
SELECT library, oid, timestamp, server_order FROM operation ORDER BY library, oid, timestamp, server_order;
DROP INDEX operation_by_object;
ALTER TABLE library ADD COLUMN indexed_through INTEGER NOT NULL DEFAULT 0;
UPDATE library SET indexed_through = server_order;`,
  // The rows of the library and its replicas may be behind the log.
  3: `
ALTER TABLE operation ADD COLUMN version INTEGER;
ALTER TABLE operation ADD COLUMN acked_order INTEGER;`,
};

/**
 * Brings a database of an earlier layout up to date, inside of a transaction of the caller's, who then sets the
 * `user_version` to {@link SCHEMA_VERSION}. `version` is one that {@link assertSchemaVersion} lets pass.
 */
export function upgradeSchema(driver: SqlDriver, version: number): void {
  for (let from = version; from < SCHEMA_VERSION; from++) driver.exec(UPGRADES[from]!);
}

/** Refuses a database of a later layout. `name` says which it is, in the error's sentence. */
export function assertSchemaVersion(version: number, name: string): void {
  if (version === SCHEMA_VERSION || version in UPGRADES) return;
  throw new VerdantError(
    VerdantErrorCode.Configuration,
    version > SCHEMA_VERSION
      ? `${name} was written by a newer version of Verdant (layout ${version}; this one knows up to ${SCHEMA_VERSION}). Run that version or a later one. The database was left as it was.`
      : `${name} has the layout ${version}, which this version of Verdant does not know. The database was left as it was.`,
  );
}
