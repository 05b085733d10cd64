import { parseArgs } from 'node:util';
import { goalChart } from './chart.js';
import { machineFacts } from './machine.js';
import { goalTable, type Result, readResult, regressions, writePage, writeResult } from './results.js';
import { works } from './works/all.js';

/*
 * pnpm bench [name…] [--runs 5] [--scale 1] [--check] [--profile directory] [--save]
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    check: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const unknown = positionals.filter((name) => !works.some((work) => work.name === name));
if (unknown.length) {
  throw new Error(
    `No work is named ${unknown.join(', ')}. There are ${works.map(({ name }) => name).join(', ')}.`,
  );
}
const tooLittle = Number(values.runs) < 5 || Number(values.scale) < 1;
if (values.save && tooLittle) throw new Error('Only five full runs or more are kept.');

const machine = machineFacts();
const results = new Map<string, Result>();
const worse: string[] = [];
const chosen = positionals.length
  ? positionals.map((name) => works.find((one) => one.name === name)!)
  : works;
for (const work of chosen) {
  const cases = await work.run({
    runs: Number(values.runs),
    scale: Number(values.scale),
    profileDirectory: values.profile,
    say: (line) => console.error(`${work.name}: ${line}`),
  });
  const result: Result = {
    work: work.name,
    at: new Date().toISOString(),
    runs: Number(values.runs),
    scale: Number(values.scale),
    machine,
    cases,
  };
  results.set(work.name, result);
  const kept = readResult(work.name);
  if (kept) worse.push(...regressions(kept, result));
  else if (values.check) console.log(`${work.name}: no result is kept to compare with`);
  // At once: all works take more than an hour, and may be broken off.
  if (values.save) keep(result);
}

console.log(goalTable(works, results));
if (tooLittle) console.log('\nSmoke, no claim: fewer than five runs, or shorter ones.');
else if (machine.loadAverageBefore > 0.5) console.log('\nSmoke, no claim: the machine was busy before.');
console.log(
  `\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.loadAverageBefore} before`,
);

if (values.check) {
  for (const line of worse) console.log(`worse: ${line}`);
  process.exitCode = worse.length ? 1 : 0;
}

function keep(result: Result): void {
  writeResult(result);
  const all = new Map(
    works.flatMap(({ name }) => {
      const one = readResult(name);
      return one ? [[name, one] as const] : [];
    }),
  );
  writePage(goalTable(works, all), goalChart(works, all), all.values());
}
