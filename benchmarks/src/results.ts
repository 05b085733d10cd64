import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MachineFacts } from './machine.js';
import type { Case, Goal, Work } from './works/work.js';

export interface Result {
  work: string;
  at: string;
  runs: number;
  scale: number;
  machine: MachineFacts;
  cases: Case[];
}

const folder = fileURLToPath(new URL('../results/', import.meta.url));
const pathOf = (work: string) => `${folder}${work}.json`;

/** The result of a work that was kept last, if any. */
export const readResult = (work: string): Result | undefined =>
  existsSync(pathOf(work)) ? (JSON.parse(readFileSync(pathOf(work), 'utf8')) as Result) : undefined;

export function writeResult(result: Result): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(pathOf(result.work), `${JSON.stringify(result, null, 2)}\n`);
}

/** The page of results, with the chart that it shows. */
export function writePage(table: string, chart: string, results: Iterable<Result>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}goals.svg`, chart);
  const measured = [...results].map(
    ({ work, at, runs, machine: { cpu, cores, node } }) =>
      `- \`${work}\`: ${at.slice(0, 10)}, ${runs} runs, ${cpu}, ${cores} cores, Node ${node}`,
  );
  const page = [
    '# Results',
    '![What was measured, next to each goal](goals.svg)',
    table,
    measured.join('\n'),
    'Written by `pnpm bench --save`; run by run in the JSON files. How it is measured: [benchmarks](../README.md).',
  ];
  writeFileSync(`${folder}README.md`, `${page.join('\n\n')}\n`);
}

/** The table of goals as Markdown: what was measured, and whether it is enough. */
export function goalTable(works: readonly Work[], results: ReadonlyMap<string, Result>): string {
  const rows = works.map(({ name, title, goal }) => {
    const result = results.get(name);
    const goals = result?.cases.flatMap((one) => one.goals.map((of) => ({ name: one.name, of }))) ?? [];
    const measured = goals.map(
      (one) => `${one.name}: ${number(one.of.measured.median)} ${one.of.text}${spread(one.of)}`,
    );
    const missed = goals
      .filter(({ of }) => of.measured.median < of.atLeast)
      .map((one) => `${one.name} (${one.of.text})`);
    const verdict = missed.length ? `missed: ${missed.join(', ')}` : 'met';
    const told = result?.cases.filter((one) => one.goals.length === 0).map(figuresOf) ?? [];
    const without = told.length > 0 ? 'told' : 'not measured';
    const cells = [...measured, ...told].join('<br>') || '–';
    return `| ${title} | ${goal} | ${cells} | ${goals.length ? verdict : without} |`;
  });
  return ['| work | goal | measured, median (least–most) | verdict |', '|---|---|---|---|', ...rows].join(
    '\n',
  );
}

/** Of what has no goal. */
function figuresOf({ name, unit, figures }: Case): string {
  const each = Object.entries(figures).map(([subject, { median }]) => `${subject} ${number(median)}`);
  return `${name}: ${each.join(', ')} ${unit}`;
}

const number = (value: number) => value.toPrecision(3);
const spread = ({ measured: { least, most } }: Goal) => ` (${number(least)}–${number(most)})`;

/** A ratio may be this much worse than the one kept, for machines are not quiet. */
const TOLERANCE = 0.8;

/** Goals whose ratio has become worse than the result that is kept. */
export function regressions(kept: Result, now: Result): string[] {
  return now.cases.flatMap(({ name, goals }) =>
    goals.flatMap(({ text, measured }) => {
      const before = kept.cases.find((one) => one.name === name)?.goals.find((goal) => goal.text === text)
        ?.measured.median;
      if (before === undefined || measured.median >= before * TOLERANCE) return [];
      return [`${now.work}, ${name}: ${number(measured.median)} ${text}, was ${number(before)}`];
    }),
  );
}
