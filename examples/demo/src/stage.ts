import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds for a reader to follow, where there is one. */
const PACE_MS = 400;
const COLUMN = 26;
const ARROWS = { right: '──────▶', left: '◀──────', none: '       ' };

/** Shows what two people do, side by side, and how it comes from one to the other. */
export class Stage {
  readonly #isTerminal = process.stdout.isTTY === true;
  readonly #isColoured = this.#isTerminal && !process.env.NO_COLOR;

  /** Something new begins. */
  async scene(title: string, about: string): Promise<void> {
    await this.#pause();
    process.stdout.write(`\n  ${this.#colour(1, title)}  ${this.#colour(2, about)}\n`);
  }

  /** What is so on the left, and on the right. */
  async both(left: string, right: string): Promise<void> {
    await this.#pause();
    process.stdout.write(`${this.#row(left, 'none', right)}\n`);
  }

  /** One does something; it is on its way until `arrived` resolves, with what the other sees then. */
  async passes(from: 'left' | 'right', does: string, arrived: () => Promise<string>): Promise<void> {
    await this.#pause();
    if (this.#isTerminal) {
      process.stdout.write(from === 'left' ? this.#row(does, 'none', '') : this.#row('', 'none', does));
    }
    try {
      const sees = await arrived();
      const row = from === 'left' ? this.#row(does, 'right', sees) : this.#row(sees, 'left', does);
      process.stdout.write(this.#isTerminal ? `\r${row}` : row);
    } finally {
      process.stdout.write('\n');
    }
  }

  /** The last line. */
  end(outcome: 'good' | 'bad', text: string): void {
    const line = outcome === 'good' ? this.#colour(32, `✔ ${text}`) : this.#colour(31, `✘ ${text}`);
    process.stdout.write(`\n  ${line}\n\n`);
  }

  #row(left: string, arrow: keyof typeof ARROWS, right: string): string {
    const columns = [
      this.#colour(36, left.padEnd(COLUMN)),
      this.#colour(2, ARROWS[arrow]),
      this.#colour(35, right),
    ];
    return `    ${columns.join('  ')}`;
  }

  #colour(code: number, text: string): string {
    return this.#isColoured ? `\x1b[${code}m${text}\x1b[0m` : text;
  }

  async #pause(): Promise<void> {
    if (this.#isTerminal) await pause(PACE_MS);
  }
}
