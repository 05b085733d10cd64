import { failuresWith } from './named-tests.js';
import type { Unfound } from './unfound.js';

/**
 * Whether each of these tests passes with the engine as it is, and fails with the fault in it that it is said to find. Tells what
 * does not as it goes.
 */
export async function verifyNamedTests(
  faults: readonly Unfound[],
  { workers, print }: { workers: number; print(line: string): void },
): Promise<boolean> {
  let holds = true;
  const wrong = (line: string) => {
    holds = false;
    print(`WRONG: ${line}`);
  };
  const checks = [
    ...[...new Set(faults.map(({ file }) => file))].map((file) => async () => {
      const named = faults.filter((other) => other.file === file);
      const tests = [...new Set(named.map(({ test }) => test))];
      for (const name of await failuresWith(null, { file, tests })) wrong(`fails without any fault: ${name}`);
    }),
    ...faults.map(({ name, file, test }) => async () => {
      const failed = await failuresWith(name, { file, tests: [test] });
      if (failed.length === 0) wrong(`"${test}" does not find this fault: ${name}`);
      else print(`found: ${name}`);
    }),
  ];
  const waiting = checks.values();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (const check of waiting) await check().catch((error: Error) => wrong(error.message));
    }),
  );
  return holds;
}
