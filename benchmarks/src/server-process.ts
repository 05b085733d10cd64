import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whom a work is done by. */
export type Subject = 'ours' | 'floor' | 'original';

/** Tokens are signed with it, for all of them. */
export const SECRET = 'a-secret-of-the-benchmarks-0123456789abcdef';

const START_DEADLINE_MS = 20_000;

/** A server in a process of its own, on empty data. */
export interface ServerProcess {
  readonly base: string;
  readonly pid: number;
  /** What it said on stderr, which is where its errors go. */
  readonly errors: string;
  /** Ends it, and removes its data. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** The program in `servers/`, where it is not named as the subject is. */
  program?: string;
  /** The file that `node --cpu-prof` writes as it ends. */
  profile?: string | undefined;
}

export async function startServer(subject: Subject, options: ServerOptions = {}): Promise<ServerProcess> {
  const directory = await mkdtemp(join(tmpdir(), `verdant-bench-${subject}-`));
  const port = await freePort();
  const program = fileURLToPath(new URL(`./servers/${options.program ?? subject}.mjs`, import.meta.url));
  const { profile } = options;
  const profiling = profile
    ? ['--cpu-prof', `--cpu-prof-dir=${dirname(profile)}`, `--cpu-prof-name=${basename(profile)}`]
    : [];
  const child = spawn(process.execPath, [...profiling, program, String(port), directory, SECRET], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  const late = AbortSignal.timeout(START_DEADLINE_MS);
  try {
    await Promise.race([
      once(child.stdout, 'data', { signal: late }),
      ended.then(() => Promise.reject(new Error('it ended'))),
    ]);
  } catch (cause) {
    await stop();
    throw new Error(`The server ${subject} did not start: ${errors}`, { cause });
  }
  return {
    base: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    get errors() {
      return errors;
    },
    stop,
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
