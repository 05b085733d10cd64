import type { OperationText } from '@verdant-web/core';
import { encodeOperation } from '@verdant-web/core/backend';
import type { AuthzKey, ServerOrder, Timestamp } from '@verdant-web/protocol';
import { operationsAt, type Scope } from './operations.js';
import { ESCAPED, FIELD_END, isLong, oidOf, PackedTexts, packed } from './packed-texts.js';

/** Operations with `after` < order ≤ `through` as they go over the wire, in server order. */
export const operationTexts = (after: ServerOrder, through: ServerOrder): PackedTexts<OperationText> =>
  new PackedTexts({
    read: ({ database, key }, last) =>
      database.get<readonly [string | null]>(PACKED, key, last?.order ?? after, through)![0],
    unpack: unpackOperation,
  });

const TEXT = `'{"oid":', json_quote(oid), ',"timestamp":"', timestamp, '","data":', data`;

/** Order, author, timestamp, key, text; of what is long there is the order alone. */
const ROW = `
  CASE
    WHEN ${isLong('data')} THEN server_order
    WHEN authz IS NULL
      THEN concat(server_order, char(31), author, char(31), timestamp, char(31), char(31), ${TEXT}, '}')
    ELSE concat(server_order, char(31), author, char(31), timestamp, char(31), json_quote(authz), char(31),
      ${TEXT}, ',"authz":', json_quote(authz), '}')
  END`;

const PACKED = packed(
  ROW,
  'operation WHERE library = ? AND server_order > ? AND server_order <= ? ORDER BY server_order',
);

function unpackOperation(scope: Scope, row: string, mayBeEscaped: boolean): OperationText {
  const orderEnd = row.indexOf(FIELD_END);
  if (orderEnd === -1) return readAlone(scope, Number(row));
  const order = Number(row.slice(0, orderEnd));
  if (mayBeEscaped && row.includes(ESCAPED)) return readAlone(scope, order);
  const authorEnd = row.indexOf(FIELD_END, orderEnd + 1);
  const timestampEnd = row.indexOf(FIELD_END, authorEnd + 1);
  const keyEnd = row.indexOf(FIELD_END, timestampEnd + 1);
  const text = row.slice(keyEnd + 1);
  return {
    order,
    replicaId: scope.authors.idOf(Number(row.slice(orderEnd + 1, authorEnd))),
    oid: oidOf(text),
    timestamp: row.slice(authorEnd + 1, timestampEnd) as Timestamp,
    authz: keyEnd === timestampEnd + 1 ? null : (JSON.parse(row.slice(timestampEnd + 1, keyEnd)) as AuthzKey),
    text,
  };
}

function readAlone(scope: Scope, order: ServerOrder): OperationText {
  const row = operationsAt(scope, [order]).get(order);
  if (!row) throw new Error('An operation was removed while all were read');
  const { replicaId, oid, timestamp, authz } = row;
  return { order, replicaId, oid, timestamp, authz, text: encodeOperation(row) };
}
