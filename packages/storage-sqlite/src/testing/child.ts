import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

/** A program of this folder, built so that plain Node runs it. */
export interface Program {
  /** The command line that runs it. */
  command(...args: string[]): [program: string, ...args: string[]];
  start(...args: string[]): RunningProgram;
  dispose(): void;
}

export interface RunningProgram {
  /** What it prints, line by line. Ends when it does. */
  lines: AsyncIterator<string>;
  /** Ends it as `kill -9` does, and waits until it is gone. */
  kill(): Promise<void>;
}

export async function buildProgram(source: string): Promise<Program> {
  // Inside of the package, or Node would not find better-sqlite3.
  const parent = join(PACKAGE, 'node_modules/.verdant-test');
  mkdirSync(parent, { recursive: true });
  const outDir = mkdtempSync(join(parent, 'program-'));
  await build({
    entry: [fileURLToPath(new URL(source, import.meta.url))],
    outDir,
    format: ['esm'],
    config: false,
    dts: false,
    silent: true,
    splitting: false,
    noExternal: [/^@verdant-web\//],
    external: ['better-sqlite3'],
    tsconfig: join(PACKAGE, 'tsconfig.json'),
  });
  const path = join(outDir, basename(source).replace(/\.ts$/, '.js'));
  return {
    command: (...args) => [process.execPath, path, ...args],
    start: (...args) =>
      run(spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })),
    dispose: () => rmSync(outDir, { recursive: true, force: true }),
  };
}

function run(child: ChildProcess): RunningProgram {
  const gone = once(child, 'exit');
  return {
    lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator](),
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
