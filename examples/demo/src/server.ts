import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A `verdant-server` in a process of its own. */
export interface Server {
  readonly origin: string;
  /** Stops it, and removes its data. */
  stop(): Promise<void>;
}

const command = fileURLToPath(new URL('../node_modules/@verdant-web/server/dist/cli.js', import.meta.url));

/**
 * Starts the command on a free port, with a database in a temporary folder.
 *
 * @throws An error that says why it does not start.
 */
export async function startServer(): Promise<Server> {
  if (!existsSync(command)) throw new Error('verdant-server is not built yet. Run "pnpm build" first.');
  const folder = await mkdtemp(join(tmpdir(), 'verdant-demo-'));
  const child = spawn(process.execPath, [command, '--port', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    // Its data goes with it: nothing to finish in order.
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };

  let output = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += chunk;
    const [, origin] = /listening on (http:\S+)/.exec(output) ?? [];
    if (origin) return { origin, stop };
  }
  await stop();
  throw new Error('verdant-server did not start.');
}
