import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));

/** The example, as `pnpm start` runs it. */
export interface App {
  /** Of the page. */
  readonly url: string;
  /** Of the sync server. */
  readonly origin: string;
  /** Ctrl-C. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** What `pnpm start` came to that could not start. */
export interface FailedStart {
  exitCode: number | null;
  errors: string;
}

/** Starts the example on free ports, with data of its own. */
export async function startApp(): Promise<App> {
  const data = await mkdtemp(join(tmpdir(), 'verdant-todo-'));
  const { child, output } = run({ PORT: '0', VERDANT_PORT: '0', DATA_FOLDER: data });
  let printed = '';
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
    printed += chunk;
    if (printed.includes('Ctrl-C')) break;
  }
  const address = (of: string) => new RegExp(`${of} +(http:\\S+?)/?\\s`).exec(printed)?.[1];
  const [url, origin] = [address('The list'), address('Sync')];
  if (!url || !origin) throw new Error(`The example did not start:\n${printed}\n${output.errors}`);
  return {
    url,
    origin,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
      await rm(data, { recursive: true, force: true, maxRetries: 3 });
      return child.exitCode;
    },
  };
}

/** Starts the example with these settings, which are expected to be impossible. */
export async function failToStart(environment: Record<string, string>): Promise<FailedStart> {
  const data = await mkdtemp(join(tmpdir(), 'verdant-todo-'));
  const { child, output } = run({ DATA_FOLDER: data, ...environment });
  await once(child, 'close');
  await rm(data, { recursive: true, force: true });
  return { exitCode: child.exitCode, errors: output.errors };
}

function run(environment: Record<string, string>): { child: ChildProcess; output: { errors: string } } {
  const child = spawn(process.execPath, ['--import', 'tsx', 'start.ts'], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { errors: '' };
  child.stderr!.on('data', (chunk) => {
    output.errors += chunk;
  });
  return { child, output };
}
