import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Whom a work is done by, of those that speak our wire. */
export type Subject = 'ours' | 'floor' | 'original';

/** … and those that do not: Yjs documents on hocuspocus. */
export type AnySubject = Subject | 'hocuspocus';

/** Tokens are signed with it, for all of them. */
export const SECRET = 'a-secret-of-the-benchmarks-0123456789abcdef';

const START_DEADLINE_MS = 20_000;

/** A server in a process of its own, with data of its own. */
export interface ServerProcess {
  readonly base: string;
  readonly pid: number;
  /** Where its data is. */
  readonly directory: string;
  /** What it said on stderr, which is where its errors go. */
  readonly errors: string;
  /** How much memory it uses, when all that it can do without was collected. */
  memory(): Promise<NodeJS.MemoryUsage>;
  /** Begins to watch its event loop, anew where it does already. */
  watchEventLoop(): void;
  /** What was seen since then. */
  eventLoopStalls(): Promise<EventLoopStalls>;
  /** Ends it, and removes its data. */
  stop(): Promise<void>;
}

/** For how long the event loop stood still: see `servers/event-loop.mjs`. */
export interface EventLoopStalls {
  longestStallMs: number;
  /** How much of that the process was computing; else it waited for the disk, or for a processor. */
  computingMs: number;
  /** The most that it computed in any stall. */
  mostComputingMs: number;
  stallsOver20Ms: number;
}

export interface ServerOptions {
  /** The program in `servers/`, where it is not named as the subject is. */
  program?: string | undefined;
  /** This folder is its data, and stays. Left out: it begins with none. */
  keptIn?: string | undefined;
  /** A copy of this folder is its data. */
  copyOf?: string | undefined;
  /** What of ours is set otherwise than usual: see `servers/ours.mjs`. */
  settings?: object | undefined;
  /** The file that `node --cpu-prof` writes as it ends. */
  profile?: string | undefined;
}

/** Does something with a server that is ended afterwards. Where it fails, what the server said is told. */
export async function withServer<T>(
  subject: AnySubject,
  options: ServerOptions,
  work: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const server = await startServer(subject, options);
  try {
    return await work(server);
  } catch (cause) {
    throw new Error(`The server was ${subject}; it said: ${server.errors}`, { cause });
  } finally {
    await server.stop();
  }
}

async function startServer(subject: AnySubject, options: ServerOptions): Promise<ServerProcess> {
  const directory = options.keptIn ?? (await mkdtemp(join(tmpdir(), `verdant-bench-${subject}-`)));
  if (options.copyOf) await cp(options.copyOf, directory, { recursive: true });
  const port = await freePort();
  const program = fileURLToPath(new URL(`./servers/${options.program ?? subject}.mjs`, import.meta.url));
  const { profile } = options;
  const profiling = profile
    ? ['--cpu-prof', `--cpu-prof-dir=${dirname(profile)}`, `--cpu-prof-name=${basename(profile)}`]
    : [];
  const settings = JSON.stringify(options.settings ?? {});
  const args = [...profiling, '--expose-gc', program, String(port), directory, SECRET, settings];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const ended = once(child, 'exit');
  const early = ended.then(() => Promise.reject(new Error('it ended')));
  // Who asks it for something is told.
  early.catch(() => {});
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    if (!options.keptIn) await rm(directory, { recursive: true, force: true });
  };
  const ask = (question: string, words: string) => {
    child.stdin.write(`${question}\n`);
    return Promise.race([heard(child.stdout, words), early]);
  };
  const late = AbortSignal.timeout(START_DEADLINE_MS);
  try {
    await Promise.race([heard(child.stdout, 'listening', late), early]);
  } catch (cause) {
    await stop();
    throw new Error(`The server ${subject} did not start: ${errors}`, { cause });
  }
  return {
    base: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    directory,
    get errors() {
      return errors;
    },
    memory: async () => JSON.parse(await ask('memory', 'heapUsed')) as NodeJS.MemoryUsage,
    watchEventLoop: () => void child.stdin.write('watch\n'),
    eventLoopStalls: async () => JSON.parse(await ask('stalls', 'longestStallMs')) as EventLoopStalls,
    stop,
  };
}

/** What is said next that has these words in it: the original says other things, too. */
async function heard(output: Readable, words: string, signal?: AbortSignal): Promise<string> {
  for (;;) {
    const [said] = await once(output, 'data', { signal });
    if (String(said).includes(words)) return String(said);
  }
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
