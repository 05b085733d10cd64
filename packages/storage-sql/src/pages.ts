/** A page ends at this many rows … */
const PAGE_ROWS = 1000;
/** … or with the row that makes its text as large as this, in UTF-16 units. */
export const PAGE_TEXT = 256 * 1024;

/** The first rows of `rows`, a page of them; the rest is left unread, and its statement closed. */
export function takePage<Row>(rows: Iterable<Row>, textOf: (row: Row) => string): Row[] {
  const page: Row[] = [];
  let text = 0;
  for (const row of rows) {
    page.push(row);
    text += textOf(row).length;
    if (page.length >= PAGE_ROWS || text >= PAGE_TEXT) break;
  }
  return page;
}
