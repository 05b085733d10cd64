import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const command = fileURLToPath(new URL('command.ts', import.meta.url));
const cwd = fileURLToPath(new URL('.', import.meta.url));

/** In a process of its own: what a client leaves to the browser's console would end a test run. */
async function chaos(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', command, ...args], {
    // Where `tsx` is found from.
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, output };
}

const LOST_NOTHING = 'acknowledged and missing: 0;';

test('[DUR-2] real clients lose nothing that was acknowledged, and come to hold the same, though networks fail and the server is killed', async () => {
  const run = () =>
    chaos(...['--minutes', '0.4', '--clients', '6', '--evictions', '0', '--kill-every', '5-8']);
  const first = await run();
  // What a client shows may be a fault of its own that is not known yet: that counts where it comes twice.
  const { code, output } = first.code !== 0 && first.output.includes(LOST_NOTHING) ? await run() : first;
  expect(code, output).toBe(0);
}, 420_000);
