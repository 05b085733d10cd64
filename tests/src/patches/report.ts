import { argumentKinds } from './argument-kinds.js';
import { decidedDifferences, memoryDifferences } from './decided-differences.js';
import type { Findings } from './fuzz-patches.js';
import { ops } from './random-patches.js';
import { referenceNames } from './references.js';
import { stateKinds } from './state-kinds.js';

/** What was tried, what differed and how that is decided, as text for a terminal. */
export function report(findings: Findings): string {
  const { coverage } = findings;
  const lines = [
    `${findings.lists} lists, ${findings.patches} patches, each against ${referenceNames.join(', ')}`,
  ];

  lines.push('', 'How often each op was tried on each state:');
  const heads = ops.map((op, column) => `${column + 1} ${op}`);
  lines.push(heads.join('  '));
  lines.push(row('', ...ops.map((_, column) => column + 1)));
  for (const kind of stateKinds) lines.push(row(kind, ...ops.map((op) => coverage.onState(op, kind))));

  lines.push('', 'What was in the fields:');
  for (const op of ops) {
    for (const [field, kinds] of Object.entries(argumentKinds[op] ?? {})) {
      const counts = kinds.map((kind) => `${kind} ${coverage.withArgument(op, field, kind)}`);
      lines.push(`${op}.${field}: ${counts.join(', ')}`);
    }
  }

  lines.push('', `Decided differences, and how often each was seen with ${referenceNames.join(', ')}:`);
  for (const { name, theirs, ours, rule } of [...decidedDifferences, ...Object.values(memoryDifferences)]) {
    const counts = referenceNames.map((reference) => findings.seen.get(name)?.get(reference) ?? 0);
    lines.push(`${counts.join(', ')}: ${name} [${rule}]. There: ${theirs}. Here: ${ours}.`);
  }

  lines.push('', ...faults(findings));
  return lines.join('\n');
}

/** Why the run failed; empty where it did not. */
export const faults = ({ undecided, unsteady, unseen, coverage }: Findings): string[] => [
  ...undecided.map(({ list, difference }) => `undecided, in list ${list}: ${JSON.stringify(difference)}`),
  ...unsteady.map((list) => `list ${list}: not the same in one go as patch by patch`),
  ...unseen.map((name) => `decided, and never seen: ${name}`),
  ...coverage.missing.map((pair) => `never tried: ${pair}`),
  ...coverage.unknown.map((pair) => `tried, and not in the table: ${pair}`),
];

const row = (head: string, ...cells: number[]): string =>
  head.padEnd(27) + cells.map((cell) => String(cell).padStart(8)).join('');
