import type { BaselineRow } from '@verdant-web/core';
import type { Oid, Timestamp } from '@verdant-web/protocol';
import { nestedRange, type Scope } from './operations.js';
import { decodeOptional, decodeText, encodeOptional, encodeText } from './text.js';

const PUT =
  'INSERT OR REPLACE INTO baseline (library, oid, timestamp, authz, snapshot) VALUES (?, ?, ?, ?, ?)';

export function putBaselines({ database, key }: Scope, rows: readonly BaselineRow[]): void {
  for (const { oid, timestamp, authz, snapshot } of rows) {
    database.run(PUT, key, encodeText(oid), timestamp, encodeOptional(authz), snapshot);
  }
}

const REMOVE = 'DELETE FROM baseline WHERE library = ? AND oid = ?';

export function removeBaselines({ database, key }: Scope, oids: readonly Oid[]): void {
  for (const oid of oids) database.run(REMOVE, key, encodeText(oid));
}

const COLUMNS = 'oid, timestamp, authz, snapshot';

type Row = readonly [oid: string, timestamp: string, authz: string | null, snapshot: string];

const ONE = `SELECT ${COLUMNS} FROM baseline WHERE library = ? AND oid = ?`;

export function findBaseline({ database, key }: Scope, oid: Oid): BaselineRow | undefined {
  const row = database.get<Row>(ONE, key, encodeText(oid));
  return row && decode(row);
}

const NESTED = `SELECT ${COLUMNS} FROM baseline WHERE library = ? AND oid >= ? AND oid < ? ORDER BY oid`;

/** Baselines of the objects nested in a document: `<root>:…`. */
export const nestedBaselines = ({ database, key }: Scope, root: Oid): BaselineRow[] =>
  database.all<Row>(NESTED, key, ...nestedRange(root)).map(decode);

const FIRST = `SELECT ${COLUMNS} FROM baseline WHERE library = ? ORDER BY oid`;
const AFTER = `SELECT ${COLUMNS} FROM baseline WHERE library = ? AND oid > ? ORDER BY oid`;

/** The one after `after` (null: the first) in oid order. */
export function baselineAfter({ database, key }: Scope, after: Oid | null): BaselineRow | undefined {
  const row =
    after === null
      ? database.get<Row>(`${FIRST} LIMIT 1`, key)
      : database.get<Row>(`${AFTER} LIMIT 1`, key, encodeText(after));
  return row && decode(row);
}

/** In oid order, those after `after` (null: all); leave the loop before anything is written. */
export function* baselinesAfter({ database, key }: Scope, after: Oid | null): Iterable<BaselineRow> {
  const rows =
    after === null ? database.iterate<Row>(FIRST, key) : database.iterate<Row>(AFTER, key, encodeText(after));
  for (const row of rows) yield decode(row);
}

const decode = ([oid, timestamp, authz, snapshot]: Row): BaselineRow => ({
  oid: decodeText(oid),
  snapshot,
  timestamp: timestamp as Timestamp,
  authz: decodeOptional(authz),
});
