/**
 * `pnpm fuzz:patches --lists 1000000`: random lists of patches against npm's `@verdant-web/common` and what published
 * clients compute. `--seed` makes others, `--first 123 --lists 1` repeats one. Ends with 1 where something differs that
 * nobody has decided, and where something was not tried.
 */
import { parseArgs } from 'node:util';
import { fuzzPatches } from './fuzz-patches.js';
import { faults, report } from './report.js';

const { values } = parseArgs({
  options: {
    lists: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
  },
});

function wholeNumber(option: 'lists' | 'seed' | 'first'): number {
  const number = Number(values[option]);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${option}: expected a whole number, got ${values[option]}`);
}

// The references say there what they ignore, for millions of patches.
console.error = () => undefined;

const findings = fuzzPatches({
  lists: wholeNumber('lists'),
  seed: wholeNumber('seed'),
  first: wholeNumber('first'),
});
console.log(report(findings));
process.exitCode = faults(findings).length === 0 ? 0 : 1;
