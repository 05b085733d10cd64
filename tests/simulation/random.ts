/**
 * A stream of numbers that a seed determines. Each subject of a world (network, storage, edits …) has a stream of its
 * own, named by a label, so that a change in one does not shift all the others.
 */
export class Random {
  #state: number;

  constructor(seed: number, label: string) {
    let hash = 2166136261;
    for (const character of `${seed}/${label}`) {
      hash = Math.imul(hash ^ character.charCodeAt(0), 16777619);
      hash ^= hash >>> 13;
    }
    this.#state = hash >>> 0;
  }

  /** From 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0, below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('Nothing to pick from');
    return item;
  }

  /** A name of `length` letters and digits. */
  name(length: number): string {
    let name = '';
    while (name.length < length) name += this.below(36).toString(36);
    return name;
  }
}
