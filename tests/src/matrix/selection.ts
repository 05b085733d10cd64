import { type Axis, allCombinations, axes, type Combination } from './axes.js';
import { pairwise } from './pairwise.js';

/** Combinations that cannot be run: those that have all the values of `where`. */
export interface Exception {
  where: Partial<Combination>;
  because: string;
}

/** What `MATRIX` asks for: values of axes, words of a scenario's name, and `full` for the full product. */
export interface Wish {
  full: boolean;
  values: Partial<Record<Axis, readonly string[]>>;
  words: readonly string[];
}

export function parseWish(text: string): Wish {
  const words = text.split(/\s+/).filter(Boolean);
  const axisOf = (word: string) =>
    (Object.keys(axes) as Axis[]).find((axis) => (axes[axis] as readonly string[]).includes(word));
  const values: Partial<Record<Axis, string[]>> = {};
  for (const word of words) {
    const axis = axisOf(word);
    if (axis) values[axis] = [...(values[axis] ?? []), word];
  }
  return {
    full: words.includes('full'),
    values,
    words: words.filter((word) => word !== 'full' && !axisOf(word)),
  };
}

/** What a scenario runs on. `name` is its subject and its sentence. */
export function select(name: string, exceptions: readonly Exception[], wish: Wish): Combination[] {
  if (!wish.words.every((word) => name.includes(word))) return [];
  const possible = allCombinations.filter((row) => !exceptions.some(({ where }) => matches(row, where)));
  const selection = wish.full ? possible : pairwise(possible.filter(isAsked(wish)), name, isCostly);
  return selection.filter((row) =>
    Object.entries(wish.values).every(([axis, values]) => values.includes(row[axis as Axis])),
  );
}

/** A page takes a browser some seconds of the processor. */
export const isCostly = ({ runtime }: Combination): boolean => runtime === 'chromium';

/** Nobody keeps libraries in memory for good: it is run where it is asked for, and proven by the storage suite. */
const isAsked =
  ({ values }: Wish) =>
  ({ storage }: Combination): boolean =>
    storage !== 'memory' || values.storage?.includes('memory') === true;

const matches = (row: Combination, where: Partial<Combination>): boolean =>
  Object.entries(where).every(([axis, value]) => row[axis as Axis] === value);

/** An exception as the run prints it. */
export const describeException = (name: string, { where, because }: Exception): string =>
  `not run: ${name} [${Object.values(where).join(' ')}]: ${because}`;
