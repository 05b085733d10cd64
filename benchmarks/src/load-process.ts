import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Runs a program of `load/` in a process of its own and resolves with the figures that it tells. */
export async function runLoad<Load extends object, Figures>(
  program: 'fan-out' | 'idle-poll',
  load: Load,
  deadlineMs: number,
): Promise<Figures> {
  const path = fileURLToPath(new URL(`./load/${program}-program.ts`, import.meta.url));
  const child = fork(path, [JSON.stringify(load)], { execArgv: process.execArgv });
  let figures: Figures | undefined;
  child.once('message', (told) => {
    figures = told as Figures;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const [code, signal] = await once(child, 'exit');
  clearTimeout(timer);
  if (!figures) throw new Error(`The load ${program} told no figures: ended with ${code ?? signal}`);
  return figures;
}
