import { removeFolder, temporaryFolder } from '../server.js';
import { Program } from './program.js';
import type { ProgramOptions, Question, Told } from './server-program.js';

export type Measures = Extract<Told, { heapBytes: number }>;

/** The server in a process of its own, as those who attack it see it, and as its operator does. */
export class AbusedServer {
  readonly #program: Program<Question, Told>;
  readonly #directory: string;
  readonly port: number;

  private constructor(program: Program<Question, Told>, directory: string, port: number) {
    this.#program = program;
    this.#directory = directory;
    this.port = port;
  }

  static async start(options: ProgramOptions = {}): Promise<AbusedServer> {
    const directory = await temporaryFolder();
    const program = new Program<Question, Told>('server-program.ts', [JSON.stringify(options), directory]);
    const { port } = (await program.told()) as { port: number };
    return new AbusedServer(program, directory, port);
  }

  /** The same one, as those see it whose attack goes to another port. */
  aside(port: number): AbusedServer {
    return new AbusedServer(this.#program, this.#directory, port);
  }

  get base(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How it ended; undefined while it lives. */
  get death(): string | undefined {
    const { exit, output } = this.#program;
    return exit && `the server ended by itself, with ${JSON.stringify(exit)}: ${output.slice(-3_000)}`;
  }

  /** After a garbage collection. */
  measure(): Promise<Measures> {
    return this.#program.ask<Measures>({ ask: 'measure' });
  }

  /** Lines of the log that are of an error, or tell what they must not; how many there were; libraries in memory. */
  log(): Promise<{ errors: string[]; lines: number; libraries: number }> {
    return this.#program.ask({ ask: 'errors' });
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    await removeFolder(this.#directory);
  }
}
