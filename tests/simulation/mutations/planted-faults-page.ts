import { fileURLToPath } from 'node:url';
import { faults } from './faults.js';
import type { Found } from './found.js';
import { unfound } from './unfound.js';

/** Where the table of faults stands, between two comments. */
export const PAGE = fileURLToPath(new URL('../../../docs/reliability.md', import.meta.url));

const BEGINS = '<!-- planted faults: begins, written by pnpm simulate:mutations --record -->';
const ENDS = '<!-- planted faults: ends -->';

/** The page with its table as it should be. */
export function withPlantedFaults(page: string, found: Readonly<Record<string, Found>>): string {
  const from = page.indexOf(BEGINS);
  const to = page.indexOf(ENDS);
  if (from < 0 || to < from) throw new Error(`${PAGE} has to have "${BEGINS}" and, below it, "${ENDS}".`);
  return `${page.slice(0, from + BEGINS.length)}\n${tableOf(found)}\n${page.slice(to)}`;
}

function tableOf(found: Readonly<Record<string, Found>>): string {
  const rows = faults.map(({ name, breaks, kind }) => {
    const where = found[name];
    const shows = where ? `${kind ? `${kind} ` : ''}world ${where.seed}: ${where.check}` : linkOf(name);
    return `| ${name} | ${breaks.map((rule) => `[${rule}]`).join(' ')} | ${shows} |`;
  });
  return [
    `${faults.length} faults. ${Object.keys(found).length} of them break a world of the first 500; a test finds each of the others.`,
    '',
    '| a server that … | breaks | found by |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

function linkOf(name: string): string {
  const test = unfound.find((other) => other.name === name);
  return test ? `[${test.test}](../${test.file})` : 'nothing';
}
