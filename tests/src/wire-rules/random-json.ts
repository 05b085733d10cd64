/** Random values of a seed: a failure names the seed, and the same seed makes the same values. */
export class RandomJson {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, but not, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** Any JSON value, with the names and texts of the protocol among the nonsense. */
  value(depth = 4): unknown {
    const kind = this.below(depth > 0 ? 9 : 6);
    if (kind < 6) return this.pick(SCALARS);
    if (kind === 6) return Array.from({ length: this.below(4) }, () => this.value(depth - 1));
    return this.object(depth - 1);
  }

  object(depth = 3): Record<string, unknown> {
    const entries = Array.from(
      { length: this.below(6) },
      () => [this.pick(NAMES), this.value(depth)] as const,
    );
    return Object.fromEntries(entries);
  }

  /** A message that is right but for some of its fields. */
  spoilt(message: Record<string, unknown>): Record<string, unknown> {
    const spoilt: Record<string, unknown> = { ...message };
    for (let times = 1 + this.below(2); times > 0; times--) {
      const name = this.pick(Object.keys(message));
      const value = spoilt[name];
      if (this.below(4) === 0) delete spoilt[name];
      else if (Array.isArray(value) && value.length > 0 && this.below(2))
        spoilt[name] = value.map((item) => (isObject(item) ? this.spoilt(item) : this.value()));
      else spoilt[name] = this.value();
    }
    return spoilt;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

const SCALARS: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -1e308,
  2 ** 53,
  '',
  'x',
  'items/1',
  'items/1:tags',
  '__proto__',
  'constructor',
  '\u0000',
  '\ud800',
  '\udfff\ud800',
  '💚',
  'a'.repeat(10_000),
  '../../x',
  '0001zzzzzzzzzzzzzzzzzzzz',
  '000100000000000000000000',
];

const NAMES = [
  'type',
  'replicaId',
  'timestamp',
  'operations',
  'baselines',
  'oid',
  'data',
  'op',
  'value',
  'name',
  'index',
  'count',
  'since',
  'schemaVersion',
  'resyncAll',
  'presence',
  'internal',
  'authz',
  'snapshot',
  'nonce',
  '__proto__',
  'constructor',
  'toString',
  'length',
  '\u0000',
  '@@type',
  'id',
  'messages',
];
