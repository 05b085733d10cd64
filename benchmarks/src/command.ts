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

const machine = machineFacts();
const results = new Map<string, Result>();
for (const work of works) {
  if (positionals.length && !positionals.includes(work.name)) continue;
  const cases = await work.run({
    runs: Number(values.runs),
    scale: Number(values.scale),
    profileDirectory: values.profile,
    say: (line) => console.error(`${work.name}: ${line}`),
  });
  results.set(work.name, {
    work: work.name,
    at: new Date().toISOString(),
    runs: Number(values.runs),
    scale: Number(values.scale),
    machine,
    cases,
  });
}

const table = goalTable(works, results);
console.log(table);
const tooLittle = Number(values.runs) < 5 || Number(values.scale) < 1;
if (tooLittle) console.log('\nSmoke, no claim: fewer than five runs, or shorter ones.');
else if (machine.loadAverageBefore > 0.5) console.log('\nSmoke, no claim: the machine was busy before.');
console.log(
  `\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.loadAverageBefore} before`,
);

if (values.check) {
  const worse = [...results.values()].flatMap((result) => {
    const kept = readResult(result.work);
    if (!kept) console.log(`${result.work}: no result is kept to compare with`);
    return kept ? regressions(kept, result) : [];
  });
  for (const line of worse) console.log(`worse: ${line}`);
  process.exitCode = worse.length ? 1 : 0;
}
if (values.save && tooLittle) throw new Error('Only five full runs or more are kept.');
if (values.save) {
  for (const result of results.values()) writeResult(result);
  for (const { name } of works) {
    const kept = readResult(name);
    if (kept) results.set(name, kept);
  }
  writePage(goalTable(works, results), goalChart(works, results), results.values());
}
