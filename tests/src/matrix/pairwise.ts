/**
 * What one scenario runs on of `rows`: a few in which each value of each column comes up once at least, if it does in any
 * row. So the scenario, as one more column, meets every value; and as another scenario is given other rows, every two
 * values of different columns meet in some scenario or other. The same scenario is always given the same. A row that is
 * costly is selected for a value only where no other row brings as many that are missing.
 */
export function pairwise<Row extends Readonly<Record<string, string>>>(
  rows: readonly Row[],
  scenario: string,
  isCostly: (row: Row) => boolean = () => false,
): Row[] {
  const missing = new Set(rows.flatMap(cellsOf));
  const inAnyOrder = shuffled(rows, scenario);
  const candidates = [...inAnyOrder.filter((row) => !isCostly(row)), ...inAnyOrder.filter(isCostly)];
  const selection: Row[] = [];
  while (missing.size > 0) {
    const best = candidates.reduce((a, b) => (newIn(b, missing) > newIn(a, missing) ? b : a));
    for (const cell of cellsOf(best)) missing.delete(cell);
    selection.push(best);
  }
  return selection;
}

const newIn = (row: Readonly<Record<string, string>>, missing: ReadonlySet<string>): number =>
  cellsOf(row).filter((cell) => missing.has(cell)).length;

const cellsOf = (row: Readonly<Record<string, string>>): string[] =>
  Object.entries(row).map(([column, value]) => `${column}=${value}`);

function shuffled<T>(values: readonly T[], seed: string): T[] {
  return values
    .map((value, n) => ({ value, order: hash(`${seed} ${n}`) }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value);
}

/** FNV-1a, its bits mixed once more: texts that differ in their last letter only would come out in order. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let n = 0; n < text.length; n++) value = Math.imul(value ^ text.charCodeAt(n), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
