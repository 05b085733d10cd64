import { parseArgs } from 'node:util';
import { AbusedServer } from '../abuse/abused-server.js';
import { Bystanders } from '../abuse/bystanders.js';
import { latencyLines, memoryLine } from '../abuse/figures.js';
import { libraryLeft } from '../abuse/rest.js';
import { type FuzzOptions, fuzz, minimised, problemsOfOne } from './fuzz.js';

/*
 * pnpm fuzz:wire --inputs 1000000 --seed 1      a night
 * pnpm fuzz:wire --inputs 1000000 --minutes 30   as many as there is time for
 * pnpm fuzz:wire --seed 1 --only 4711           one input again, alone
 * pnpm fuzz:wire --seed 1 --from 4000 --inputs 1000
 */

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    minutes: { type: 'string' },
    only: { type: 'string' },
  },
});
const seed = Number(values.seed);
const from = Number(values.only ?? values.from);
const to = values.only === undefined ? from + Number(values.inputs) : from + 1;
const print = (text: string) => process.stdout.write(`${text}\n`);

const server = await AbusedServer.start({ libraryIdleMs: 2_000, presenceLeaseMs: 2_000 });
const bystanders = await Bystanders.start(server);
const options: FuzzOptions = { server, seed, from, to, attackedLibrary: bystanders.library };
let hasFailed = false;
try {
  if (values.only !== undefined) {
    const problems = await problemsOfOne(options, from);
    print(problems.length > 0 ? problems.join('\n') : 'Nothing is wrong with that input alone.');
    hasFailed = problems.length > 0;
  } else {
    // What is loaded and cached once is no leak.
    await fuzz({ ...options, from: from + 50_000_000, to: from + 50_003_000 });
    await libraryLeft(server);
    const before = await server.measure();
    await bystanders.phase('during');
    const started = Date.now();
    const { inputs, outcomes, findings } = await fuzz({
      ...options,
      ...(values.minutes === undefined ? {} : { until: started + Number(values.minutes) * 60_000 }),
      onProgress: async (done) => {
        if (done % 20_000 === 0)
          print(`${done} inputs, ${Math.round(done / ((Date.now() - started) / 1000))} a second`);
      },
    });
    const seconds = (Date.now() - started) / 1000;
    print(`\n${inputs} inputs of seed ${seed} in ${Math.round(seconds)} s`);
    for (const [kind, counts] of Object.entries(outcomes).sort()) {
      const told = Object.entries(counts).map(([outcome, count]) => `${outcome}: ${count}`);
      print(`  ${kind}: ${told.join(', ')}`);
    }
    if (!server.death) {
      await bystanders.phase('after');
      await libraryLeft(server);
      print(memoryLine(before, await server.measure()));
      const { latencies, problems } = await bystanders.finish();
      for (const line of latencyLines(latencies)) print(line);
      const { errors, lines } = await server.log();
      print(`  log: ${lines} lines, ${errors.length} that should not be there`);
      for (const problem of [...problems, ...errors]) print(`BYSTANDERS OR LOG: ${problem}`);
      hasFailed = problems.length + errors.length > 0;
    }
    for (const { problem, number, kind, after, times } of findings) {
      hasFailed = true;
      print(`\nFOUND (${kind}, ${times} times): ${problem}`);
      print(
        `  again: pnpm fuzz:wire --seed ${seed} --only ${number}${after.length > 0 ? `; on the same socket before: ${after.join(' ')}` : ''}`,
      );
      if (number < 0 || server.death || after.length > 0) continue;
      const { pieces } = await minimised(options, number);
      print(
        `  least: ${pieces.map((piece) => JSON.stringify(piece.toString('latin1').slice(0, 600))).join(' + ')}`,
      );
    }
  }
} finally {
  await bystanders.stop();
  await server.stop();
}
print(hasFailed ? '\nFAILED' : '\nNothing found.');
process.exit(hasFailed ? 1 : 0);
