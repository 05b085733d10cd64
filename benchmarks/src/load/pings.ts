import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How long small writes to another library took to be acknowledged. */
export interface PingFigures {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

export interface Pings {
  /** From now on. */
  measure(): void;
  /** Since then; and no more are sent. */
  end(): Promise<PingFigures>;
}

/** Writes to another library, a hundred times a second, from a process that has nothing else to do. */
export async function startPings(base: string): Promise<Pings> {
  const path = fileURLToPath(new URL('./ping-program.ts', import.meta.url));
  const child = fork(path, [base], { execArgv: process.execArgv });
  const died = once(child, 'exit').then(([code, signal]) =>
    Promise.reject(new Error(`The pings ended with ${code ?? signal}`)),
  );
  died.catch(() => {});
  await Promise.race([once(child, 'message'), died]);
  return {
    measure: () => void child.send('measure'),
    end: async () => {
      child.send('end');
      const [figures] = (await Promise.race([once(child, 'message'), died])) as [PingFigures];
      return figures;
    },
  };
}
