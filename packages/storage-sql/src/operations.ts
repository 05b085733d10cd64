import type { OperationRow } from '@verdant-web/core';
import type { Oid, ServerOrder, Timestamp } from '@verdant-web/protocol';
import type { Authors } from './authors.js';
import type { SqlDatabase } from './database.js';
import { decodeOptional, decodeText, encodeOptional, encodeText } from './text.js';

/** An open library's present epoch: what the tables' functions work on. */
export interface Scope {
  database: SqlDatabase;
  /** The library's key. */
  key: number;
  authors: Authors;
}

const INSERT = `
INSERT INTO operation (library, server_order, author, oid, timestamp, authz, data) VALUES (?, ?, ?, ?, ?, ?, ?)`;

export function insertOperations({ database, key, authors }: Scope, rows: readonly OperationRow[]): void {
  for (const row of rows) {
    const author = authors.numberOf(database, row.replicaId);
    const { order, oid, timestamp, authz, data } = row;
    database.run(INSERT, key, order, author, encodeText(oid), timestamp, encodeOptional(authz), data);
  }
}

const COLUMNS = 'server_order, author, oid, timestamp, authz, data';

type Row = readonly [
  order: number,
  author: number,
  oid: string,
  timestamp: string,
  authz: string | null,
  data: string,
];

const PAGE = `
SELECT ${COLUMNS} FROM operation WHERE library = ? AND server_order > ? AND server_order <= ? ORDER BY server_order`;

/** In server order; leave the loop before anything is written. */
export const operationsBetween = (
  scope: Scope,
  after: ServerOrder,
  through: ServerOrder,
): Iterable<OperationRow> => decodeEach(scope, scope.database.iterate<Row>(PAGE, scope.key, after, through));

const OF_OBJECT = `
SELECT ${COLUMNS} FROM operation INDEXED BY operation_by_object
WHERE library = ? AND oid = ? ORDER BY timestamp, server_order`;

/** One object's operations in timestamp order. */
export const operationsOf = (scope: Scope, oid: Oid): OperationRow[] =>
  scope.database.all<Row>(OF_OBJECT, scope.key, encodeText(oid)).map((row) => decode(scope, row));

const OF_OBJECT_BEFORE = `
SELECT ${COLUMNS} FROM operation INDEXED BY operation_by_object
WHERE library = ? AND oid = ? AND timestamp < ? ORDER BY timestamp, server_order`;

/** One object's operations in timestamp order, one by one; leave the loop before anything is written. */
export const operationsBefore = (scope: Scope, oid: Oid, before: Timestamp): Iterable<OperationRow> =>
  decodeEach(scope, scope.database.iterate<Row>(OF_OBJECT_BEFORE, scope.key, encodeText(oid), before));

const NESTED = `
SELECT ${COLUMNS} FROM operation INDEXED BY operation_by_object
WHERE library = ? AND oid >= ? AND oid < ? ORDER BY oid, timestamp, server_order`;

/** Operations of the objects nested in a document: `<root>:…`. */
export const nestedOperations = (scope: Scope, root: Oid): OperationRow[] =>
  scope.database.all<Row>(NESTED, scope.key, ...nestedRange(root)).map((row) => decode(scope, row));

/** The range of oids that begin with `<root>:`. `;` comes after `:`. */
export const nestedRange = (root: Oid): [from: string, to: string] => [
  `${encodeText(root)}:`,
  `${encodeText(root)};`,
];

const EARLIEST = 'SELECT min(timestamp) FROM operation WHERE library = ? AND server_order > ?';

export const earliestAfter = ({ database, key }: Scope, after: ServerOrder): Timestamp | null =>
  (database.get<readonly [string | null]>(EARLIEST, key, after)?.[0] ?? null) as Timestamp | null;

function decode({ authors }: Scope, [order, author, oid, timestamp, authz, data]: Row): OperationRow {
  return {
    order,
    replicaId: authors.idOf(author),
    oid: decodeText(oid),
    timestamp: timestamp as Timestamp,
    data,
    authz: decodeOptional(authz),
  };
}

function* decodeEach(scope: Scope, rows: Iterable<Row>): Iterable<OperationRow> {
  for (const row of rows) yield decode(scope, row);
}
