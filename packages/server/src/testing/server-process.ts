import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { vi } from 'vitest';

export const repository = fileURLToPath(new URL('../../../../', import.meta.url));
export const cliSource = fileURLToPath(new URL('../cli.ts', import.meta.url));

/** Runs TypeScript on the sources of all packages, as they are: nothing has to be built. */
const loader = join(repository, 'examples/quickstart/node_modules/tsx/dist/loader.mjs');

/** A server in a process of its own. */
export interface ServerProcess {
  /** What it wrote so far, to either stream. */
  readonly output: string;
  readonly errors: string;
  /** How it ended; undefined: it runs. */
  readonly exitCode: number | null | undefined;
  /** Resolves when the output has this in it, rejects when the process ends before. */
  says(text: string): Promise<void>;
  ends(): Promise<number | null>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface ServerProcessOptions {
  entry: string;
  cwd: string;
  args?: readonly string[];
  env?: Record<string, string>;
}

export const startProcess = ({ entry, cwd, args = [], env = {} }: ServerProcessOptions): ServerProcess => {
  if (!existsSync(loader)) throw new Error(`${loader} is missing: run pnpm install.`);
  // Loaded into the process rather than run around it, so that a signal reaches the server itself.
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', pathToFileURL(loader).href, entry, ...args],
    {
      cwd,
      env: { ...process.env, TSX_TSCONFIG_PATH: join(repository, 'tsconfig.base.json'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  let errors = '';
  let exitCode: number | null | undefined;
  child.stdout!.on('data', (data) => {
    output += data;
  });
  child.stderr!.on('data', (data) => {
    output += data;
    errors += data;
  });
  child.once('close', (code) => {
    exitCode = code;
  });
  const ends = async () => {
    await vi.waitUntil(() => exitCode !== undefined, DEADLINE);
    return exitCode ?? null;
  };
  return {
    get output() {
      return output;
    },
    get errors() {
      return errors;
    },
    get exitCode() {
      return exitCode;
    },
    says: async (text) => {
      await vi.waitUntil(() => output.includes(text) || exitCode !== undefined, DEADLINE);
      if (!output.includes(text)) throw new Error(`It ended with ${exitCode}:\n${output}`);
    },
    ends,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return ends();
    },
  };
};

const DEADLINE = { timeout: 15_000, interval: 10 };

export const temporaryFolder = () => mkdtemp(join(tmpdir(), 'verdant-server-'));
export const removeFolder = (path: string) => rm(path, { recursive: true, force: true, maxRetries: 3 });

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? address!.port : 0));
    });
  });
