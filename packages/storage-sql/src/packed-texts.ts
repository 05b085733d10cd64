import type { Oid } from '@verdant-web/protocol';
import type { Scope } from './operations.js';
import { PAGE_TEXT } from './pages.js';

/*
 * A row that is handed out costs several times what reading it costs, and each of its columns as much again. So SQLite
 * builds the text of some hundred rows, as one value, which is cut up here.
 */

/** So many rows are packed into one value … */
const PACKED_ROWS = 500;
/** … but for those with a longer JSON text, or with longer names and keys as JSON quotes them, in bytes … */
const LONG_TEXT = 2048;
const LONG_NAMES = 1700;
/* … of which there is next to nothing: so the value has fewer than 2,000,000 bytes, which is what some databases take. */

/**
 * Whether a row with this JSON text is read alone. A byte is quoted as six at most, and hardly ever as more than one: what
 * it really comes to is looked at where it matters.
 */
export const isLong = (text: string): string => `(
    octet_length(${text}) > ${LONG_TEXT}
    OR (6 * octet_length(oid) + 12 * coalesce(octet_length(authz), 0) > ${LONG_NAMES}
      AND octet_length(json_quote(oid)) + 2 * octet_length(json_quote(authz)) > ${LONG_NAMES})
  )`;

/** Between rows, and between the fields of a row: two characters that JSON never has. */
const ROW_END = '\u001e';
export const FIELD_END = '\u001f';

/** A query of one value, in which there is what `row` makes of each row of the first that are found. */
export const packed = (row: string, from: string): string =>
  `SELECT group_concat(row, char(30)) FROM (SELECT ${row} AS row FROM ${from} LIMIT ${PACKED_ROWS})`;

/** The escape of `encodeText`, as JSON quotes it: a row in which it may be cannot be taken as SQLite built it. */
export const ESCAPED = '\\u001b';

const OID_START = '{"oid":"'.length;

/** The object that the text, of a baseline or an operation, is of. */
export function oidOf(text: string): Oid {
  const oid = text.slice(OID_START, text.indexOf('"', OID_START));
  return oid.includes('\\') ? (JSON.parse(text) as { oid: Oid }).oid : (oid as Oid);
}

export interface PackedSource<Text> {
  /** The value of the rows after this one; null: of the first. */
  read(scope: Scope, after: Text | null): string | null;
  /**
   * `mayBeEscaped`: {@link ESCAPED} is somewhere in the value that the row is of. `previous`: of the row before it; null: it
   * is the first.
   */
  unpack(scope: Scope, row: string, mayBeEscaped: boolean, previous: Text | null): Text;
}

/** Rows as they go over the wire, page by page. */
export class PackedTexts<Text extends { text: string }> {
  readonly #source: PackedSource<Text>;
  #rows: string[] = [];
  /** The next of them. */
  #next = 0;
  #mayBeEscaped = false;
  /** The last that was unpacked. */
  #last: Text | null = null;

  constructor(source: PackedSource<Text>) {
    this.#source = source;
  }

  /** None: that was all. */
  nextPage(scope: Scope): Text[] {
    if (this.#next === this.#rows.length) this.#read(scope);
    const page: Text[] = [];
    let length = 0;
    while (this.#next < this.#rows.length && length < PAGE_TEXT) {
      const text = this.#source.unpack(scope, this.#rows[this.#next++]!, this.#mayBeEscaped, this.#last);
      this.#last = text;
      page.push(text);
      length += text.text.length;
    }
    return page;
  }

  #read(scope: Scope): void {
    const value = this.#source.read(scope, this.#last);
    this.#rows = value?.split(ROW_END) ?? [];
    this.#mayBeEscaped = value?.includes(ESCAPED) ?? false;
    this.#next = 0;
  }
}
