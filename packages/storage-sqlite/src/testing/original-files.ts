import { copyFileSync, existsSync, renameSync } from 'node:fs';
import Database from 'better-sqlite3';

/** A file as the original server leaves it. */
export interface OriginalKind {
  unified: boolean;
  authz: boolean;
  /** Has `INTEGER` timestamps of operations, as 2.x. */
  looseTimestamps?: boolean;
  /** SQL that says which version it is. */
  version: string;
}

const kysely = (...names: string[]): string => `
  CREATE TABLE kysely_migration (name varchar(255) not null primary key, timestamp varchar(255) not null);
  CREATE TABLE kysely_migration_lock (id varchar(255) not null primary key, is_locked integer default 0 not null);
  INSERT INTO kysely_migration_lock VALUES ('migration_lock', 0);
  ${names.map((name) => `INSERT INTO kysely_migration VALUES ('${name}', '2024-01-01T00:00:00.000Z');`).join('\n')}`;

const migrations = (id: number): string => `
  CREATE TABLE _Migrations (id INTEGER PRIMARY KEY, appliedAt TEXT);
  INSERT INTO _Migrations VALUES (${id}, '2025-01-01T00:00:00.000Z');`;

/** Every kind that there is. */
export const ORIGINAL_KINDS = {
  '2.x unified, layout 7': {
    unified: true,
    authz: false,
    looseTimestamps: true,
    version: 'CREATE TABLE versions (version INTEGER NOT NULL PRIMARY KEY); INSERT INTO versions VALUES (7);',
  },
  '3.x unified, v1': { unified: true, authz: false, version: kysely('v1') },
  '3.x unified, v2': { unified: true, authz: true, version: kysely('v1', 'v2') },
  '3.x sharded, v1': { unified: false, authz: false, version: kysely('v1') },
  '3.x sharded, v2': { unified: false, authz: true, version: kysely('v1', 'v2') },
  '4.x sharded, 1': { unified: false, authz: false, version: migrations(1) },
  '4.x sharded, 2': { unified: false, authz: true, version: migrations(2) },
  '4.x sharded, taken over from 3.x': {
    unified: false,
    authz: true,
    version: kysely('v1', 'v2') + migrations(2),
  },
} as const satisfies Record<string, OriginalKind>;

type Value = string | number | null | Buffer;

export interface OriginalOperation {
  oid: Value;
  timestamp: Value;
  data: Value;
  serverOrder?: Value;
  replicaId: Value;
  authz?: Value;
}

/** One library's rows. What is left out is what the original would write by itself. */
export interface OriginalRows {
  operations?: OriginalOperation[];
  baselines?: { oid: Value; snapshot: Value; timestamp: Value; authz?: Value }[];
  replicas?: {
    id: Value;
    clientId?: Value;
    lastSeenWallClockTime?: Value;
    ackedLogicalTime?: Value;
    type?: Value;
    ackedServerOrder?: Value;
  }[];
  files?: { fileId: Value; name: Value; type: Value; pendingDeleteAt?: Value }[];
}

/** Writes a database as this kind of the original would, and leaves it open. Of a sharded one: with one library. */
export function openOriginal(
  path: string,
  kind: OriginalKind,
  libraries: Record<string, OriginalRows>,
): Database.Database {
  const db = new Database(path);
  db.exec(tables(kind) + kind.version);
  db.transaction(() => {
    for (const [id, rows] of Object.entries(libraries)) insertRows(db, kind, id, rows);
  })();
  return db;
}

export function writeOriginal(
  path: string,
  kind: OriginalKind,
  libraries: Record<string, OriginalRows>,
): void {
  openOriginal(path, kind, libraries).close();
}

/** Leaves what a process does that is killed: whatever lies beside the file, too. */
export function leaveAsKilled(db: Database.Database, path: string): void {
  const parts = ['', '-wal', '-journal'].filter((part) => existsSync(path + part));
  for (const part of parts) copyFileSync(path + part, `${path}${part}.kept`);
  db.close();
  for (const part of parts) renameSync(`${path}${part}.kept`, path + part);
}

function tables({ unified, authz, looseTimestamps }: OriginalKind): string {
  const library = unified ? 'libraryId TEXT NOT NULL, ' : '';
  const led = unified ? 'libraryId, ' : '';
  const key = authz ? ', authz TEXT' : '';
  return `
    CREATE TABLE DocumentBaseline (${library}oid TEXT NOT NULL, snapshot TEXT, timestamp TEXT NOT NULL${key}, PRIMARY KEY (${led}oid));
    CREATE TABLE OperationHistory (${library}oid TEXT NOT NULL, timestamp ${looseTimestamps ? 'INTEGER' : 'TEXT'} NOT NULL, data TEXT NOT NULL,
      serverOrder INTEGER NOT NULL DEFAULT 0, replicaId TEXT NOT NULL${key}, PRIMARY KEY (${led}replicaId, oid, timestamp));
    CREATE TABLE ReplicaInfo (${library}id TEXT NOT NULL, clientId TEXT NOT NULL, lastSeenWallClockTime INTEGER, ackedLogicalTime TEXT,
      type INTEGER NOT NULL DEFAULT 0, ackedServerOrder INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (${led}id));
    CREATE TABLE FileMetadata (${library}fileId TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, pendingDeleteAt INTEGER, PRIMARY KEY (${led}fileId));`;
}

function insertRows(
  db: Database.Database,
  { unified, authz }: OriginalKind,
  id: string,
  rows: OriginalRows,
): void {
  const insert = (table: string, row: Record<string, Value | undefined>) => {
    const full: Record<string, Value | undefined> = unified ? { libraryId: id, ...row } : { ...row };
    if (!authz) delete full.authz;
    const names = Object.keys(full).filter((name) => full[name] !== undefined);
    const marks = names.map(() => '?').join(', ');
    db.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`).run(
      names.map((name) => full[name]),
    );
  };
  for (const row of rows.operations ?? []) insert('OperationHistory', { ...row });
  for (const row of rows.baselines ?? []) insert('DocumentBaseline', { ...row });
  for (const row of rows.replicas ?? []) insert('ReplicaInfo', { clientId: `user of ${row.id}`, ...row });
  for (const row of rows.files ?? []) insert('FileMetadata', { ...row });
}
