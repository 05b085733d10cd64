import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Unfound } from './unfound.js';

/** Tests of one file, by their names or parts of them. */
export interface NamedTests {
  file: Unfound['file'];
  tests: readonly Unfound['test'][];
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const VITEST = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

/** What vitest's reporter writes, as far as it is read. */
interface Report {
  testResults: { assertionResults: { fullName: string; status: string }[] }[];
}

/**
 * Runs these tests with that fault in the engine (null: as it is), in a process of its own, and gives the names of those that
 * failed. Throws where one of them did not run: it is not there any more, or its file cannot be loaded with the fault in it.
 */
export async function failuresWith(fault: string | null, { file, tests }: NamedTests): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'named-tests-'));
  try {
    const report = join(folder, 'report.json');
    const output = await vitest(fault, [
      ...['run', '--config', 'tests/vitest.mutations.config.ts', file],
      ...['--testNamePattern', tests.map(escaped).join('|')],
      ...['--reporter=json', `--outputFile=${report}`],
    ]);
    const { testResults } = JSON.parse(
      await readFile(report, 'utf8').catch(() => '{"testResults":[]}'),
    ) as Report;
    const ran = testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'passed' || status === 'failed'),
    );
    for (const test of tests) {
      if (!ran.some(({ fullName }) => fullName.includes(test)))
        throw new Error(`${file}: "${test}" did not run.\n${output}`);
    }
    return ran.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Its output, however it ends: that tests fail is what they are run for. */
function vitest(fault: string | null, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, env: { ...process.env, FAULT: fault ?? '' } };
    execFile(process.execPath, [VITEST, ...args], options, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
