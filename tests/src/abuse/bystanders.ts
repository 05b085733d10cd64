import { fresh } from '../wire-rules/tokens.js';
import type { Question, Report, Told } from './bystander-program.js';
import { Program } from './program.js';

/** Clients that go on syncing while others attack their server. */
export class Bystanders {
  /** The library that is to be attacked. */
  readonly library = fresh('attacked');
  /** One that attackers have no token for. */
  readonly elsewhere = fresh('elsewhere');
  readonly #program: Program<Question, Told>;

  private constructor(base: string) {
    this.#program = new Program('bystander-program.ts', [base, this.library, this.elsewhere]);
  }

  static async start({ base }: { base: string }): Promise<Bystanders> {
    const bystanders = new Bystanders(base);
    await bystanders.#program.told();
    return bystanders;
  }

  /** What they measure from now on is told under this name. */
  async phase(phase: string): Promise<void> {
    await this.#program.ask({ ask: 'phase', phase });
  }

  /** Their last rounds; then they leave. */
  async finish(): Promise<Report> {
    const report = await this.#program.ask<Report>({ ask: 'finish' }, 180_000);
    await this.#program.stop();
    return report;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
  }
}
