/** How often each kind of fault happened in a world. */
export class FaultCount {
  readonly counts: Record<string, number> = {};
  readonly #without: ReadonlySet<string>;

  /** `without`: kinds that do not happen. */
  constructor(without: ReadonlySet<string>) {
    this.#without = without;
  }

  add(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }

  isLeftOut(kind: string): boolean {
    return this.#without.has(kind);
  }
}
