import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'vitest';
import { label } from './axes.js';
import { describeException, type Exception, parseWish, select } from './selection.js';
import type { TargetOptions } from './server-target.js';
import { inWorld, type World } from './world.js';

export interface ScenarioOptions {
  /** How the server differs from its defaults. */
  server?: TargetOptions;
  /** `due`: some device has to give up what it had. By default that is an error, but for a device that is new. */
  resets?: 'due';
  /** `user`: at the end devices of one user hold the same, those of different users do not. */
  alike?: 'user';
  /** Where it cannot be run, and why. */
  except?: readonly Exception[];
}

/** Longer than any deadline within. */
const TIMEOUT_MS = 300_000;

const wish = parseWish(process.env.MATRIX ?? '');

/** `const scenario = scenariosOf(import.meta.url)`: registers scenarios whose subject is the name of that file. */
export function scenariosOf(fileUrl: string) {
  const subject = basename(fileURLToPath(fileUrl), '.test.ts');

  return (sentence: string, options: ScenarioOptions, run: (world: World) => Promise<void>): void => {
    const { except = [], ...worldOptions } = options;
    const name = `${subject}: ${sentence}`;
    const selection = select(name, except, wish);
    for (const exception of except) console.log(describeException(name, exception));
    describe.concurrent(sentence, () => {
      // A file of tests needs one, also where none is wished for.
      if (selection.length === 0) test.skip(`MATRIX=${process.env.MATRIX} leaves nothing`);
      for (const combination of selection) {
        test(label(combination), { timeout: TIMEOUT_MS }, () =>
          inWorld({ ...combination, ...worldOptions }, run),
        );
      }
    });
  };
}
