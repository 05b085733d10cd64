/** The last events of a world, for whoever has to find out what went wrong. */
export class Trace {
  readonly #now: () => number;
  readonly #start: number;
  readonly #limit: number;
  readonly #lines: string[] = [];

  constructor(now: () => number, limit: number) {
    this.#now = now;
    this.#start = now();
    this.#limit = limit;
  }

  note(who: string, what: string): void {
    const seconds = ((this.#now() - this.#start) / 1000).toFixed(3).padStart(9);
    this.#lines.push(`${seconds}  ${who.padEnd(8)} ${what}`);
    if (this.#lines.length > 2 * this.#limit) this.#lines.splice(0, this.#limit);
  }

  get lines(): readonly string[] {
    return this.#lines.slice(-this.#limit);
  }
}
