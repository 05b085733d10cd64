import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SECRET } from '../server.js';
import { waitFor } from '../until.js';

/** The published original server, 2.1.2, running. */
export interface OriginalServer {
  readonly base: string;
  /** Ends its process, as a deployment does. */
  stop(): Promise<void>;
}

export async function startOriginal(port: number, databaseFile: string): Promise<OriginalServer> {
  const program = fileURLToPath(new URL('./server-program.mjs', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [program, String(port), databaseFile, SECRET], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (text) => {
      output += text;
    });
  }
  const gone = once(child, 'exit');
  await waitFor(() => output.includes('listening'), { deadline: 30_000, describe: () => output });
  return {
    base: `http://localhost:${port}`,
    stop: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
