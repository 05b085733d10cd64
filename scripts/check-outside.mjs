// What a stranger gets: every package is packed and installed into an empty project outside the workspace. There the
// samples of every page are compiled and run, the quick start serves real clients, and the demo plays.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram, waitFor } from './outside/program.mjs';
import { createProject } from './outside/project.mjs';
import { answers, freePort, onFreePort, runSample } from './outside/run-sample.mjs';
import { readSamples } from './outside/samples.mjs';
import { root } from './packed.mjs';

const problems = [];
const project = createProject();
console.log(`ok   installed in ${project}`);

const samples = await writeSamples();
compile();
for (const sample of samples.filter(({ isRun }) => isRun)) {
  await attempt(`${sample.place} runs`, async () => {
    const problem = await runSample(project, sample);
    if (problem !== null) throw new Error(problem);
  });
}
await attempt(
  'the quick start serves real clients, and what they wrote is there after a restart',
  quickStart,
);
await attempt('the demo plays', () => finish('src/demo.ts'));

if (problems.length === 0) rmSync(project, { recursive: true, force: true });
else console.error(`${problems.length} problems; the project is left in ${project}`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function writeSamples() {
  mkdirSync(join(project, 'samples'));
  const all = readSamples();
  const written = [];
  for (const [index, sample] of all.entries()) {
    if (!sample.isRun)
      console.log(`     ${sample.place} is not ${sample.isCompiled ? 'run' : 'compiled'}: ${sample.reason}`);
    if (!sample.isCompiled) continue;
    const file = join('samples', `sample-${index}${sample.isTest ? '.test' : ''}.ts`);
    const onPort = await onFreePort(sample.code);
    writeFileSync(join(project, file), onPort.code);
    written.push({ ...sample, ...onPort, file: join(project, file) });
  }
  return written;
}

function compile() {
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    moduleDetection: 'force',
    noEmit: true,
    skipLibCheck: true,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['samples'] }));
  try {
    execFileSync(join(project, 'node_modules/.bin/tsc'), ['--pretty', 'false'], {
      cwd: project,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    console.log(`ok   ${samples.length} samples compile`);
  } catch ({ stdout }) {
    const named = stdout.replaceAll(
      /samples\/sample-(\d+)[\w.]*/g,
      (text, index) => `${placeOf(index)} (${text})`,
    );
    fail('the samples compile', named);
  }
}

function start(args, env) {
  return startProgram(process.execPath, ['--import', 'tsx', ...args], { cwd: project, env });
}

/** Run a program to its end. */
async function finish(...args) {
  const program = start(args, {});
  await waitFor(() => program.exit !== null, 120_000).catch(() => program.kill('SIGKILL'));
  if (program.exit?.code !== 0)
    throw new Error(`${args[0]} ended with ${JSON.stringify(program.exit)}\n${program.output}`);
}

async function attempt(what, task) {
  try {
    await task();
    console.log(`ok   ${what}`);
  } catch (error) {
    fail(what, error.message);
  }
}

function fail(what, why) {
  problems.push(what);
  console.error(`FAIL ${what}\n${why.replace(/^/gm, '     ')}`);
}

function placeOf(index) {
  return samples.find(({ file }) => new RegExp(`sample-${index}\\b`).test(file))?.place;
}

async function quickStart() {
  const port = await freePort();
  cpSync(join(root, 'examples/demo/src'), join(project, 'src'), { recursive: true });
  cpSync(join(root, 'examples/quickstart/src/server.ts'), join(project, 'src/quickstart.ts'));
  cpSync(join(root, 'scripts/outside/quickstart-clients.mjs'), join(project, 'src/quickstart-clients.mjs'));
  for (const again of [[], ['again']]) {
    const server = start(['src/quickstart.ts'], { PORT: String(port) });
    await waitFor(() => server.exit !== null || answers(port));
    try {
      await finish('src/quickstart-clients.mjs', `http://localhost:${port}`, ...again);
    } catch (error) {
      throw new Error(`${error.message}\nthe server said:\n${server.output}`);
    } finally {
      const exit = await server.stop();
      // The page closes nothing: the signal ends it, and loses nothing.
      if (exit.signal !== 'SIGTERM') fail('the quick start stops on SIGTERM', JSON.stringify(exit));
    }
  }
}
