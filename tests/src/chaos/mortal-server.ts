import { Program } from '../abuse/program.js';
import { freePort, removeFolder, temporaryFolder } from '../server.js';
import type { Question, Told } from './server-program.js';

/** A server that dies again and again, and comes back on the same port with what is on its disk. */
export class MortalServer {
  kills = 0;
  evictions = 0;
  /** What its processes wrote: errors, and how they ended if not by our hand. */
  readonly complaints: string[] = [];
  readonly #directory: string;
  readonly #port: number;
  #program: Program<Question, Told> | undefined;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#port = port;
  }

  static async start(): Promise<MortalServer> {
    const server = new MortalServer(await temporaryFolder(), await freePort());
    await server.start();
    return server;
  }

  get isUp(): boolean {
    return this.#program?.exit === undefined && this.#program !== undefined;
  }

  get base(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const args = [this.#directory, String(this.#port)];
    this.#program = new Program<Question, Told>('../chaos/server-program.ts', args);
    await this.#program.told();
  }

  /** `kill -9`, at this very moment. */
  async kill(): Promise<void> {
    await this.#end();
    this.kills++;
  }

  /** Resolves when the eviction is durable. */
  async evict(library: string): Promise<void> {
    await this.#program!.ask({ ask: 'evict', library });
    this.evictions++;
  }

  async stop(): Promise<void> {
    await this.#end();
    await removeFolder(this.#directory);
  }

  async #end(): Promise<void> {
    const program = this.#program;
    this.#program = undefined;
    if (!program) return;
    if (program.exit) this.complaints.push(`it ended by itself: ${JSON.stringify(program.exit)}`);
    await program.stop();
    if (program.output) this.complaints.push(program.output);
  }
}
