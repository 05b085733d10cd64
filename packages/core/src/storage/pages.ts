const PAGE_ROWS = 256;
/** In UTF-16 units. */
const PAGE_TEXT = 256 * 1024;

/** Operations or baselines in pages that are bounded in rows and in text, as `LibraryStorage` gives them. */
export function* inPages<Row extends { data: string } | { snapshot: string }>(
  rows: readonly Row[],
): Generator<Row[]> {
  for (let start = 0; start < rows.length; ) {
    const end = pageEnd(rows, start);
    yield rows.slice(start, end);
    start = end;
  }
}

function pageEnd(rows: readonly ({ data: string } | { snapshot: string })[], start: number): number {
  let text = 0;
  for (let end = start; end < rows.length; end++) {
    const row = rows[end]!;
    text += ('data' in row ? row.data : row.snapshot).length;
    if (text >= PAGE_TEXT || end - start + 1 >= PAGE_ROWS) return end + 1;
  }
  return rows.length;
}
