import type { BaselineRow, FileRow, OperationRow } from './rows.js';

const PAGE_ROWS = 256;
/** In UTF-16 units. */
const PAGE_TEXT = 256 * 1024;

type Row = OperationRow | BaselineRow | FileRow;

/** Rows in pages that are bounded in number and in text, as `LibraryStorage` gives them. */
export function* inPages<Kind extends Row>(rows: readonly Kind[]): Generator<Kind[]> {
  for (let start = 0; start < rows.length; ) {
    const end = pageEnd(rows, start);
    yield rows.slice(start, end);
    start = end;
  }
}

function pageEnd(rows: readonly Row[], start: number): number {
  let text = 0;
  for (let end = start; end < rows.length; end++) {
    text += textOf(rows[end]!).length;
    if (text >= PAGE_TEXT || end - start + 1 >= PAGE_ROWS) return end + 1;
  }
  return rows.length;
}

function textOf(row: Row): string {
  if ('data' in row) return row.data;
  return 'snapshot' in row ? row.snapshot : row.name;
}
