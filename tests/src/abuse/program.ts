import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../until.js';

/** A program of ours in a process of its own, that is asked and answers in turn. */
export class Program<Question extends object, Told> {
  /** What it wrote to its standard output and error. */
  output = '';
  exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  readonly #child: ChildProcess;
  readonly #told: Told[] = [];
  #asking: Promise<unknown> = Promise.resolve();

  /** @param file Beside this one. */
  constructor(file: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    // Where `tsx` is found from.
    const cwd = fileURLToPath(new URL('.', import.meta.url));
    const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', path, ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text) => {
        this.output = (this.output + String(text)).slice(-20_000);
      });
    }
    child.once('exit', (code, signal) => {
      this.exit = { code, signal };
    });
    child.on('message', (told) => this.#told.push(told as Told));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The next that it tells. */
  async told(deadline = 60_000): Promise<Told> {
    await waitFor(() => this.#told.length > 0 || this.exit, { deadline, describe: () => this.output });
    const told = this.#told.shift();
    if (!told) throw new Error(`the process ended with ${JSON.stringify(this.exit)}: ${this.output}`);
    return told;
  }

  /** Asks, and resolves with the answer. One question at a time. */
  ask<Answer extends Told>(question: Question, deadline?: number): Promise<Answer> {
    const answered = this.#asking.then(() => {
      if (!this.exit) this.#child.send(question);
      return this.told(deadline) as Promise<Answer>;
    });
    this.#asking = answered.catch(() => {});
    return answered;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await waitFor(() => this.exit);
  }
}
