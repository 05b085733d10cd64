import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Programs of `load/`. */
type Program =
  | 'fan-out'
  | 'first-sync'
  | 'founding'
  | 'idle-poll'
  | 'idle-sockets'
  | 'many'
  | 'rebase'
  | 'rooms'
  | 'visits'
  | 'yjs-fan-out'
  | 'yjs-first-load'
  | 'yjs-idle';

/** What a program tells when that begins which it is there for, where others need to know. */
export const BEGINNING = 'beginning';

/**
 * Runs a program of `load/` in a process of its own and resolves with the figures that it tells. `begins` is called each
 * time that it tells of a {@link BEGINNING}.
 */
export async function runLoad<Load extends object, Figures>(
  program: Program,
  load: Load,
  deadlineMs: number,
  begins?: () => void,
): Promise<Figures> {
  const { figures, end } = await holdLoad<Load, Figures>(program, load, deadlineMs, begins);
  await end();
  return figures;
}

/** What a program has told while it goes on, and keeps what it has, sockets for instance. */
export interface HeldLoad<Figures> {
  figures: Figures;
  end(): Promise<void>;
}

/** Likewise, but the program goes on until `end` is called. */
export async function holdLoad<Load extends object, Figures>(
  program: Program,
  load: Load,
  deadlineMs: number,
  begins?: () => void,
): Promise<HeldLoad<Figures>> {
  const child = start(program, load);
  const ended = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const told = new Promise<{ figures: Figures }>((resolve) => {
    child.on('message', (message) => {
      if (message === BEGINNING) begins?.();
      else resolve({ figures: message as Figures });
    });
  });
  const first = await Promise.race([told, ended]);
  clearTimeout(timer);
  if (!('figures' in first)) {
    throw new Error(`The load ${program} told no figures: ended with ${first[0] ?? first[1]}`);
  }
  return {
    figures: first.figures,
    end: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function start(program: Program, load: object): ChildProcess {
  const path = fileURLToPath(new URL(`./load/${program}-program.ts`, import.meta.url));
  return fork(path, [JSON.stringify(load)], { execArgv: process.execArgv });
}
