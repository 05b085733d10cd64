import type { LibraryId } from '@verdant-web/protocol';
import type Database from 'better-sqlite3';
import { ORIGINAL_TABLES, type OriginalLayout } from './layout.js';
import type { RawValue } from './usable-rows.js';

export type RawOperation = readonly [
  replicaId: RawValue,
  oid: RawValue,
  timestamp: RawValue,
  data: RawValue,
  authz: RawValue,
  /** 0: none was given. */
  serverOrder: number,
];
export type RawBaseline = readonly [oid: RawValue, timestamp: RawValue, snapshot: RawValue, authz: RawValue];
export type RawReplica = readonly [
  id: RawValue,
  clientId: RawValue,
  type: RawValue,
  lastSeen: RawValue,
  ackedTime: RawValue,
  ackedOrder: RawValue,
];
export type RawFile = readonly [id: RawValue, name: RawValue, type: RawValue, pendingDeleteAt: RawValue];

/** The libraries of a unified database of the original. */
export function originalLibraries(db: Database.Database): LibraryId[] {
  const each = ORIGINAL_TABLES.map((table) => `SELECT libraryId FROM ${table} WHERE ${isText}`);
  return db
    .prepare(`${each.join(' UNION ')} ORDER BY 1`)
    .pluck()
    .all() as LibraryId[];
}

/** How many rows of a unified database belong to no library that has a name. */
export function namelessRows(db: Database.Database): number {
  const each = ORIGINAL_TABLES.map((table) => `(SELECT count(*) FROM ${table} WHERE NOT ${isText})`);
  return db
    .prepare(`SELECT ${each.join(' + ')}`)
    .pluck()
    .get() as number;
}

const isText = "coalesce(typeof(libraryId) = 'text', 0)";

/** Whether a unified database of the original has a library. */
export function hasOriginalLibrary(db: Database.Database, id: LibraryId): boolean {
  return ORIGINAL_TABLES.some(
    (table) => db.prepare(`SELECT 1 FROM ${table} WHERE libraryId = ? LIMIT 1`).get(id) !== undefined,
  );
}

const IS_ORDER = "typeof(serverOrder) = 'integer' AND serverOrder > 0";

/** One library's rows as the original server left them. Nothing may be written over the same connection while they are read. */
export class SourceLibrary {
  readonly #db: Database.Database;
  readonly #where: string;
  readonly #parameters: readonly LibraryId[];
  readonly #authz: string;

  /** `id` is what the library's rows are found by in a unified database. */
  constructor(db: Database.Database, layout: OriginalLayout, id: LibraryId) {
    this.#db = db;
    this.#where = layout.unified ? 'WHERE libraryId = ?' : 'WHERE 1';
    this.#parameters = layout.unified ? [id] : [];
    this.#authz = layout.authz ? 'authz' : 'NULL';
  }

  replicas(): Iterable<RawReplica> {
    return this.#rows(
      'id, clientId, type, lastSeenWallClockTime, ackedLogicalTime, ackedServerOrder FROM ReplicaInfo',
      'ORDER BY id',
    );
  }

  files(): Iterable<RawFile> {
    return this.#rows('fileId, name, type, pendingDeleteAt FROM FileMetadata', 'ORDER BY fileId');
  }

  baselines(): Iterable<RawBaseline> {
    return this.#rows(`oid, timestamp, snapshot, ${this.#authz} FROM DocumentBaseline`, 'ORDER BY oid');
  }

  /**
   * In server order. Those without one come first where they are dated before `settled`, else last.
   */
  operations(settled: string): Iterable<RawOperation> {
    return this.#rows(
      `replicaId, oid, timestamp, data, ${this.#authz}, CASE WHEN ${IS_ORDER} THEN serverOrder ELSE 0 END FROM OperationHistory`,
      `ORDER BY CASE WHEN ${IS_ORDER} THEN serverOrder WHEN timestamp < ? THEN 0 ELSE 9223372036854775807 END,
        timestamp, replicaId, oid`,
      settled,
    );
  }

  /** The highest server order of an operation; 0: there is none. */
  highestOrder(): number {
    const [row] = this.#rows<readonly [number | null]>(
      'max(serverOrder) FROM OperationHistory',
      `AND ${IS_ORDER}`,
    );
    return row?.[0] ?? 0;
  }

  hasOperations(): boolean {
    const [first] = this.#rows('1 FROM OperationHistory', 'LIMIT 1');
    return first !== undefined;
  }

  /** Whether any row has an access key. */
  hasAuthz(): boolean {
    if (this.#authz === 'NULL') return false;
    const isKeyed = 'AND authz IS NOT NULL LIMIT 1';
    const [found] = [
      ...this.#rows('1 FROM DocumentBaseline', isKeyed),
      ...this.#rows('1 FROM OperationHistory', isKeyed),
    ];
    return found !== undefined;
  }

  #rows<Row extends readonly unknown[]>(select: string, rest: string, ...more: string[]): Iterable<Row> {
    const statement = this.#db.prepare<unknown[], Row>(`SELECT ${select} ${this.#where} ${rest}`);
    return statement.raw().iterate(...this.#parameters, ...more) as Iterable<Row>;
  }
}
