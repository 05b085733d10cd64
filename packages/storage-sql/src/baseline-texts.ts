import type { BaselineRow, BaselineText } from '@verdant-web/core';
import { encodeBaseline } from '@verdant-web/core/backend';
import type { AuthzKey, Oid } from '@verdant-web/protocol';
import { baselineAfter, findBaseline } from './baselines.js';
import type { Scope } from './operations.js';
import { ESCAPED, FIELD_END, isLong, oidOf, PackedTexts, packed } from './packed-texts.js';
import { decodeText, encodeText } from './text.js';

/** The baselines of a library as they go over the wire, in oid order. */
export const baselineTexts = (): PackedTexts<BaselineText> =>
  new PackedTexts({
    read({ database, key }, after) {
      const [value] =
        after === null
          ? database.get<readonly [string | null]>(FIRST, key)!
          : database.get<readonly [string | null]>(AFTER, key, encodeText(after.oid))!;
      return value;
    },
    unpack: unpackBaseline,
  });

const TEXT = `'{"oid":', json_quote(oid), ',"snapshot":', snapshot, ',"timestamp":"', timestamp`;

/** What everybody may see is its text; what is private has its key before it; of what is long there is nothing. */
const ROW = `
  CASE
    WHEN ${isLong('snapshot')} THEN ''
    WHEN authz IS NULL THEN concat(${TEXT}, '"}')
    ELSE concat(json_quote(authz), char(31), ${TEXT}, '","authz":', json_quote(authz), '}')
  END`;

const FIRST = packed(ROW, 'baseline WHERE library = ? ORDER BY oid');
const AFTER = packed(ROW, 'baseline WHERE library = ? AND oid > ? ORDER BY oid');

function unpackBaseline(
  scope: Scope,
  row: string,
  mayBeEscaped: boolean,
  previous: BaselineText | null,
): BaselineText {
  if (row === '') return alone(baselineAfter(scope, previous === null ? null : previous.oid));
  if (!row.startsWith('{')) return unpackPrivate(scope, row);
  const oid = oidOf(row);
  if (mayBeEscaped && row.includes(ESCAPED)) return readAlone(scope, decodeText(oid));
  return { oid, authz: null, text: row };
}

function unpackPrivate(scope: Scope, row: string): BaselineText {
  const keyEnd = row.indexOf(FIELD_END);
  const text = row.slice(keyEnd + 1);
  const oid = oidOf(text);
  if (row.includes(ESCAPED)) return readAlone(scope, decodeText(oid));
  return { oid, authz: JSON.parse(row.slice(0, keyEnd)) as AuthzKey, text };
}

const readAlone = (scope: Scope, oid: Oid): BaselineText => alone(findBaseline(scope, oid));

function alone(row: BaselineRow | undefined): BaselineText {
  if (!row) throw new Error('A baseline was removed while all were read');
  return { oid: row.oid, authz: row.authz, text: encodeBaseline(row) };
}
