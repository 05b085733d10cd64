import { parseArgs } from 'node:util';
import { latencyLines, memoryLine } from './figures.js';
import { Program } from './program.js';
import { run } from './run.js';
import { scenarios } from './scenarios.js';
import { problemsOfCost } from './verdict.js';

/*
 * pnpm abuse                       all, one after the other
 * pnpm abuse "slow headers" churn  some
 * pnpm abuse --scale 5 "libraries without end"
 * pnpm abuse --bare "slow headers" "slow bodies" "idle connections"
 *                                  on a TCP server that does nothing, beside it: what the attack's own load costs
 *
 * Ends with status 1 where the server dies, logs an error, shows somebody what is not theirs, keeps memory, or makes those in
 * another library wait.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '10' },
    bare: { type: 'boolean', default: false },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(scenarios);
const print = (text: string) => process.stdout.write(`${text}\n`);
let hasFailed = false;
const bare = values.bare ? new Program<never, { port: number }>('bare-program.ts', []) : undefined;
const aside = await bare?.told();
for (const name of names) {
  const scenario = scenarios[name];
  if (!scenario) {
    print(`There is no "${name}". There are:\n  ${Object.keys(scenarios).join('\n  ')}`);
    process.exit(1);
  }
  print(`\n${name}`);
  try {
    const options = { scale: Number(values.scale), ms: Number(values.seconds) * 1_000, ...aside };
    const { notes, before, after, report, errors } = await run(scenario, options);
    for (const note of notes) print(`  ${note}`);
    print(memoryLine(before, after));
    for (const line of latencyLines(report.latencies)) print(line);
    const problems = [...report.problems, ...errors, ...problemsOfCost(before, after, report.latencies)];
    for (const problem of problems) print(`  FAILED: ${problem}`);
    hasFailed ||= problems.length > 0;
  } catch (error) {
    hasFailed = true;
    print(`  FAILED: ${(error as Error).message}`);
  }
}
await bare?.stop();
process.exit(hasFailed ? 1 : 0);
