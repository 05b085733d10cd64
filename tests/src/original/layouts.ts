import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

const TABLES = `
  CREATE TABLE DocumentBaseline (oid TEXT NOT NULL PRIMARY KEY, snapshot TEXT, timestamp TEXT NOT NULL, authz TEXT);
  CREATE TABLE OperationHistory (oid TEXT NOT NULL, timestamp TEXT NOT NULL, data TEXT NOT NULL,
    serverOrder INTEGER NOT NULL DEFAULT 0, replicaId TEXT NOT NULL, authz TEXT, PRIMARY KEY (replicaId, oid, timestamp));
  CREATE TABLE ReplicaInfo (id TEXT NOT NULL PRIMARY KEY, clientId TEXT NOT NULL, lastSeenWallClockTime INTEGER,
    ackedLogicalTime TEXT, type INTEGER NOT NULL DEFAULT 0, ackedServerOrder INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE FileMetadata (fileId TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, pendingDeleteAt INTEGER);`;

const VERSIONS = {
  '3.x': `
    CREATE TABLE kysely_migration (name varchar(255) not null primary key, timestamp varchar(255) not null);
    CREATE TABLE kysely_migration_lock (id varchar(255) not null primary key, is_locked integer default 0 not null);
    INSERT INTO kysely_migration VALUES ('v1', '2024-01-01'), ('v2', '2024-01-02');`,
  '4.x': `
    CREATE TABLE _Migrations (id INTEGER PRIMARY KEY, appliedAt TEXT);
    INSERT INTO _Migrations VALUES (2, '2025-01-01');`,
};

const COLUMNS = {
  DocumentBaseline: 'oid, snapshot, timestamp',
  OperationHistory: 'oid, timestamp, data, serverOrder, replicaId',
  ReplicaInfo: 'id, clientId, lastSeenWallClockTime, ackedLogicalTime, type, ackedServerOrder',
  FileMetadata: 'fileId, name, type, pendingDeleteAt',
};

/** Puts one library of a unified file into a file of its own, as the original server's later lines lay it out. */
export function shardOf(
  unified: string,
  library: string,
  databasesDirectory: string,
  line: keyof typeof VERSIONS,
): void {
  mkdirSync(databasesDirectory, { recursive: true });
  const db = new Database(join(databasesDirectory, `${library}.sqlite`));
  db.exec(TABLES + VERSIONS[line]);
  db.prepare('ATTACH ? AS unified').run(unified);
  for (const [table, columns] of Object.entries(COLUMNS)) {
    db.prepare(
      `INSERT INTO main.${table} (${columns}) SELECT ${columns} FROM unified.${table} WHERE libraryId = ?`,
    ).run(library);
  }
  db.close();
}
