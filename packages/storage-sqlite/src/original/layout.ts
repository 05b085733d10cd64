import type Database from 'better-sqlite3';

/** How a database of the original server is laid out. */
export interface OriginalLayout {
  /** What wrote it, for people. */
  writer: string;
  /** One file for all libraries: every table has a `libraryId`. */
  unified: boolean;
  /** Whether operations and baselines have access keys. */
  authz: boolean;
}

export type Recognition =
  | { kind: 'original'; layout: OriginalLayout }
  /** It has the original's tables, but is not one that is known. `found` says what there is instead. */
  | { kind: 'unknown'; found: string }
  | { kind: 'foreign' };

const TABLES = {
  OperationHistory: ['oid', 'timestamp', 'data', 'serverOrder', 'replicaId'],
  DocumentBaseline: ['oid', 'snapshot', 'timestamp'],
  ReplicaInfo: ['id', 'clientId', 'lastSeenWallClockTime', 'ackedLogicalTime', 'type', 'ackedServerOrder'],
  FileMetadata: ['fileId', 'name', 'type', 'pendingDeleteAt'],
} as const;

/** The tables with a library's rows. */
export const ORIGINAL_TABLES = Object.keys(TABLES) as (keyof typeof TABLES)[];
const VERSION_TABLES = ['versions', 'kysely_migration', 'kysely_migration_lock', '_Migrations'];
/** Operations and baselines. */
const KEYED = ['OperationHistory', 'DocumentBaseline'];

/**
 * Which of the original server's layouts a database has. All of it has to be known: a table or column that a later
 * version added would be lost.
 */
export function recogniseOriginal(db: Database.Database): Recognition {
  const tables = tablesOf(db);
  const missing = ORIGINAL_TABLES.filter((name) => !tables.includes(name));
  if (missing.length === ORIGINAL_TABLES.length) return { kind: 'foreign' };
  if (missing.length > 0) return unknown(`the table ${missing[0]} is missing`);
  const strange = tables.find((name) => !isKnown(name));
  if (strange !== undefined) return unknown(`there is a table or view ${strange}, which it does not know`);

  const unified = columnsOf(db, 'OperationHistory').includes('libraryId');
  const authz = columnsOf(db, 'OperationHistory').includes('authz');
  for (const name of ORIGINAL_TABLES) {
    const expected: string[] = [...TABLES[name]];
    if (unified) expected.push('libraryId');
    if (authz && KEYED.includes(name)) expected.push('authz');
    const found = columnsOf(db, name);
    const lacking = expected.find((column) => !found.includes(column));
    if (lacking !== undefined) return unknown(`the column ${name}.${lacking} is missing`);
    const added = found.find((column) => !expected.includes(column));
    if (added !== undefined) return unknown(`there is a column ${name}.${added}, which it does not know`);
  }
  return recogniseVersion(db, tables, { unified, authz });
}

function recogniseVersion(
  db: Database.Database,
  tables: readonly string[],
  { unified, authz }: Pick<OriginalLayout, 'unified' | 'authz'>,
): Recognition {
  const known = (writer: string): Recognition => ({ kind: 'original', layout: { writer, unified, authz } });
  // A file that 4.x took over from 3.x has the tables of both.
  if (tables.includes('_Migrations')) {
    const version = db.prepare('SELECT max(id) FROM _Migrations').pluck().get();
    return version === 1 || version === 2
      ? known(`the original server 4.x (layout ${version})`)
      : unknown(`its layout is version ${String(version)} of 4.x, and 1 and 2 are known`);
  }
  if (tables.includes('kysely_migration')) {
    const names = db.prepare('SELECT name FROM kysely_migration ORDER BY name').pluck().all();
    const versions = names.join(', ');
    if (versions !== 'v1' && versions !== 'v1, v2') {
      return unknown(`its migrations are ${versions || 'none'}, and v1 and v2 are known`);
    }
    if (authz !== (versions === 'v1, v2')) {
      return unknown(`its migrations are ${versions}, yet it has ${authz ? '' : 'no '}columns for access`);
    }
    return known(`the original server 3.x (layout ${versions})`);
  }
  if (tables.includes('versions')) {
    const version = db.prepare('SELECT max(version) FROM versions').pluck().get();
    return version === 7
      ? known('the original server 2.x (layout 7)')
      : unknown(
          `its layout is version ${String(version)} of 2.x, and only the last, 7, is known: the original server 2.1.2 brings it there when it is started once`,
        );
  }
  return unknown('it does not say which version of the layout it has');
}

const tablesOf = (db: Database.Database): string[] =>
  db
    .prepare<[], string>(
      "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .pluck()
    .all() as string[];

const columnsOf = (db: Database.Database, table: string): string[] =>
  db.prepare(`SELECT name FROM pragma_table_info('${table}')`).pluck().all() as string[];

const isKnown = (name: string): boolean =>
  (ORIGINAL_TABLES as readonly string[]).includes(name) || VERSION_TABLES.includes(name);

const unknown = (found: string): Recognition => ({ kind: 'unknown', found });

/** Takes the original's tables away, those of its versions included. */
export function dropOriginalTables(db: Database.Database): void {
  const tables = tablesOf(db);
  for (const name of [...ORIGINAL_TABLES, ...VERSION_TABLES]) {
    if (tables.includes(name)) db.exec(`DROP TABLE "${name}"`);
  }
}
