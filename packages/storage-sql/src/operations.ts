import type { OperationRow } from '@verdant-web/core';
import type { Oid, ServerOrder, Timestamp } from '@verdant-web/protocol';
import type { SqlDatabase } from './database.js';
import type { NewOperation } from './object-index.js';
import type { OpenEpoch } from './open-epoch.js';
import { rangesOf } from './order-ranges.js';
import type { Notes } from './tail.js';
import { decodeOptional, decodeText, encodeOptional, encodeText } from './text.js';

/** An open library's present epoch: what the tables' functions work on. */
export interface Scope extends OpenEpoch {
  database: SqlDatabase;
}

const INSERT = `
INSERT INTO operation (library, server_order, author, oid, timestamp, authz, data, version, acked_order)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Adds operations to the log; `notes`: with these in their rows. */
export function insertOperations(
  scope: Scope,
  rows: readonly OperationRow[],
  notes: Notes | null = null,
): void {
  const { database, key, authors, objects } = scope;
  for (const row of rows) {
    const author = authors.numberOf(database, row.replicaId);
    const { order, oid, timestamp, authz, data } = row;
    const version = row === notes?.last ? notes.version : null;
    const ackedOrder = notes?.ackedOrders.get(row.replicaId) ?? null;
    const [oidText, authzText] = [encodeText(oid), encodeOptional(authz)];
    database.run(INSERT, key, order, author, oidText, timestamp, authzText, data, version, ackedOrder);
    objects.add({ order, author, oid, timestamp, length: data.length });
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

/** The rows of these operations, by server order. */
export function operationsAt(scope: Scope, orders: readonly ServerOrder[]): Map<ServerOrder, OperationRow> {
  const found = new Map<ServerOrder, OperationRow>();
  for (const [first, last] of rangesOf(orders)) {
    for (const row of scope.database.all<Row>(PAGE, scope.key, first - 1, last)) {
      found.set(row[0], decode(scope, row));
    }
  }
  return found;
}

const INDEXED = `
SELECT operation.server_order, author, operation.oid, operation.timestamp, authz, data
FROM object_operation AS object CROSS JOIN operation
  ON operation.library = object.library AND operation.server_order = object.server_order`;

const OF_OBJECT = `
${INDEXED} WHERE object.library = ? AND object.oid = ? ORDER BY object.timestamp, object.server_order`;

/** One object's operations in timestamp order. */
export const operationsOf = (scope: Scope, oid: Oid): OperationRow[] =>
  withNewest(scope, OF_OBJECT, [encodeText(oid)], scope.objects.newestOf(oid));

const NESTED = `
${INDEXED} WHERE object.library = ? AND object.oid >= ? AND object.oid < ?
ORDER BY object.oid, object.timestamp, object.server_order`;

/** Operations of the objects nested in a document: `<root>:…`. Of each object, they are in timestamp order. */
export const nestedOperations = (scope: Scope, root: Oid): OperationRow[] =>
  withNewest(scope, NESTED, nestedRange(root), scope.objects.newestIn(`${root}:`));

/** The range of oids that begin with `<root>:`. `;` comes after `:`. */
export const nestedRange = (root: Oid): [from: string, to: string] => [
  `${encodeText(root)}:`,
  `${encodeText(root)};`,
];

function withNewest(
  scope: Scope,
  sql: string,
  of: string[],
  newest: readonly NewOperation[],
): OperationRow[] {
  const { database, key, objects } = scope;
  const indexed = objects.hasRows ? database.all<Row>(sql, key, ...of).map((row) => decode(scope, row)) : [];
  if (newest.length === 0) return indexed;
  const found = operationsAt(
    scope,
    newest.map(({ order }) => order),
  );
  return [...indexed, ...found.values()].sort(byTime);
}

/** In timestamp order; operations of one time in server order. */
export function byTime(
  a: Pick<OperationRow, 'timestamp' | 'order'>,
  b: Pick<OperationRow, 'timestamp' | 'order'>,
): number {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? -1 : 1;
  return a.order - b.order;
}

const OF_OBJECT_BEFORE = `
${INDEXED} WHERE object.library = ? AND object.oid = ? AND object.timestamp < ?
ORDER BY object.timestamp, object.server_order`;

/**
 * One object's operations in timestamp order, one by one, the newest without their rows: {@link operationsAt} has them. Leave the
 * loop before anything is written.
 */
export function* operationsBefore(
  scope: Scope,
  oid: Oid,
  before: Timestamp,
): Iterable<OperationRow | NewOperation> {
  const { database, key, objects } = scope;
  const newest = objects.newestOf(oid);
  let next = 0;
  if (objects.hasRows) {
    const indexed = database.iterate<Row>(OF_OBJECT_BEFORE, key, encodeText(oid), before);
    for (const row of decodeEach(scope, indexed)) {
      // What is in the table was stored before.
      while (next < newest.length && newest[next]!.timestamp < row.timestamp) yield newest[next++]!;
      yield row;
    }
  }
  for (; next < newest.length && newest[next]!.timestamp < before; next++) yield newest[next]!;
}

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
