import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

const DEADLINE_MS = 60_000;

/** A program in a process of its own: its output so far, and how it ended (null: it runs). */
export function startProgram(command, args, { cwd, env = {} }) {
  const child = spawn(command, args, {
    cwd,
    env: {
      ...process.env,
      TOKEN_SECRET: 'a secret of the samples, long enough for anyone',
      OLD_TOKEN_SECRET: 'an older secret of the samples, long enough for anyone',
      NO_COLOR: '1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const program = {
    output: '',
    exit: null,
    kill: (signal) => child.kill(signal),
    /** Resolves to how it ended, after a SIGTERM. */
    async stop() {
      child.kill('SIGTERM');
      await waitFor(() => program.exit !== null).catch(() => child.kill('SIGKILL'));
      return program.exit ?? { code: null, signal: 'SIGKILL' };
    },
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      program.output += data;
    });
  }
  child.once('error', (error) => {
    program.output += String(error);
    program.exit = { code: 1, signal: null };
  });
  child.once('close', (code, signal) => {
    program.exit = { code, signal };
  });
  return program;
}

/** Resolves when the condition holds; rejects at the deadline. */
export async function waitFor(condition, deadline = DEADLINE_MS) {
  const end = Date.now() + deadline;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${deadline} ms`);
    await pause(50);
  }
}
