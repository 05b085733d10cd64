import type { BaselineText } from '@verdant-web/core';
import { encodeBaseline } from '@verdant-web/core/backend';
import type { AuthzKey, Oid } from '@verdant-web/protocol';
import { findBaseline } from './baselines.js';
import type { Scope } from './operations.js';
import { PAGE_TEXT } from './pages.js';
import { decodeText, encodeText } from './text.js';

/*
 * A row that is handed out costs several times what reading it costs, and each of its columns as much again. So SQLite
 * builds the text of some hundred rows, as one value, which is cut up here.
 */

/** So many rows are packed into one value … */
const PACKED_ROWS = 500;
/** … but for those with a longer snapshot, in bytes: the value is never larger than these two allow. */
const LONG = 2048;

/** Between rows, and between a key and its row: two characters that JSON never has. */
const ROW_END = '\u001e';
const KEY_END = '\u001f';

const TEXT = `'{"oid":', json_quote(oid), ',"snapshot":', snapshot, ',"timestamp":"', timestamp`;

/** What everybody may see is its text; what is private has its key before it; of what is long there is the oid alone. */
const PACKED_ROW = `
  CASE
    WHEN octet_length(snapshot) > ${LONG} THEN json_quote(oid)
    WHEN authz IS NULL THEN concat(${TEXT}, '"}')
    ELSE concat(json_quote(authz), char(31), ${TEXT}, '","authz":', json_quote(authz), '}')
  END`;

const packed = (condition: string): string => `
SELECT group_concat(row, char(30)) FROM (
  SELECT ${PACKED_ROW} AS row FROM baseline WHERE ${condition} ORDER BY oid LIMIT ${PACKED_ROWS}
)`;

const FIRST = packed('library = ?');
const AFTER = packed('library = ? AND oid > ?');

/** The baselines of a library as they go over the wire, in oid order, page by page. */
export class BaselineTexts {
  #packed: string[] = [];
  /** The next of them. */
  #next = 0;
  /** Where a row may have what `encodeText` escaped, which JSON quoted once more, it is read anew. */
  #mayBeEscaped = false;
  /** The last that was unpacked. */
  #after: Oid | null = null;

  /** None: that was all. */
  nextPage(scope: Scope): BaselineText[] {
    if (this.#next === this.#packed.length) this.#read(scope);
    const page: BaselineText[] = [];
    let text = 0;
    while (this.#next < this.#packed.length && text < PAGE_TEXT) {
      const row = this.#unpack(scope, this.#packed[this.#next++]!);
      page.push(row);
      text += row.text.length;
    }
    this.#after = page.at(-1)?.oid ?? this.#after;
    return page;
  }

  #read({ database, key }: Scope): void {
    const [value] =
      this.#after === null
        ? database.get<readonly [string | null]>(FIRST, key)!
        : database.get<readonly [string | null]>(AFTER, key, encodeText(this.#after))!;
    this.#packed = value?.split(ROW_END) ?? [];
    this.#mayBeEscaped = value?.includes(ESCAPED) ?? false;
    this.#next = 0;
  }

  #unpack(scope: Scope, row: string): BaselineText {
    if (!row.startsWith('{')) return unpackOther(scope, row);
    const oid = oidOf(row);
    if (this.#mayBeEscaped && row.includes(ESCAPED)) return readAlone(scope, decodeText(oid));
    return { oid, authz: null, text: row };
  }
}

/** The escape of `encodeText`, as JSON quotes it. */
const ESCAPED = '\\u001b';

function unpackOther(scope: Scope, row: string): BaselineText {
  const keyEnd = row.indexOf(KEY_END);
  if (keyEnd === -1) return readAlone(scope, decodeText(JSON.parse(row) as Oid));
  const text = row.slice(keyEnd + 1);
  const oid = oidOf(text);
  if (row.includes(ESCAPED)) return readAlone(scope, decodeText(oid));
  return { oid, authz: JSON.parse(row.slice(0, keyEnd)) as AuthzKey, text };
}

const OID_START = '{"oid":"'.length;

function oidOf(text: string): Oid {
  const oid = text.slice(OID_START, text.indexOf('"', OID_START));
  return oid.includes('\\') ? (JSON.parse(text) as { oid: Oid }).oid : (oid as Oid);
}

function readAlone(scope: Scope, oid: Oid): BaselineText {
  const row = findBaseline(scope, oid);
  if (!row) throw new Error('A baseline was removed while all were read');
  return { oid, authz: row.authz, text: encodeBaseline(row) };
}
