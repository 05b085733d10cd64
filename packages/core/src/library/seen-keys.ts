/** Tells what comes for the second time. */
export interface SeenKeys {
  /** Whether the key is new. It is not, the next time. */
  add(key: string): boolean;
}

/** The keys themselves. */
export class FewSeenKeys implements SeenKeys {
  readonly #keys = new Set<string>();

  add(key: string): boolean {
    const before = this.#keys.size;
    return this.#keys.add(key).size > before;
  }
}

/**
 * Some 20 bytes for a key, instead of 200: it remembers a hash of each. Where one comes twice, the keys so far are read
 * again and remembered as they are.
 */
export class ManySeenKeys implements SeenKeys {
  readonly #reread: () => Iterable<string>;
  readonly #hashOf: (key: string) => number;
  /** Open addressing; 0: free. */
  #hashes = new Float64Array(1024);
  #count = 0;
  #exact: Set<string> | null = null;

  /** `reread` gives every key that was added, and those to come, in their order. */
  constructor(reread: () => Iterable<string>, hashOf = hash53) {
    this.#reread = reread;
    this.#hashOf = hashOf;
  }

  add(key: string): boolean {
    this.#count++;
    if (this.#exact === null && this.#addHash(this.#hashOf(key))) return true;
    this.#exact ??= this.#readAgain(this.#count - 1);
    const before = this.#exact.size;
    return this.#exact.add(key).size > before;
  }

  #readAgain(count: number): Set<string> {
    this.#hashes = new Float64Array(0);
    const keys = new Set<string>();
    let left = count;
    for (const key of this.#reread()) {
      if (left-- === 0) break;
      keys.add(key);
    }
    return keys;
  }

  #addHash(hash: number): boolean {
    if (this.#count * 2 > this.#hashes.length) this.#grow();
    return put(this.#hashes, hash);
  }

  #grow(): void {
    const grown = new Float64Array(this.#hashes.length * 2);
    for (const hash of this.#hashes) if (hash !== 0) put(grown, hash);
    this.#hashes = grown;
  }
}

function put(hashes: Float64Array, hash: number): boolean {
  let at = hash % hashes.length;
  while (hashes[at] !== 0) {
    if (hashes[at] === hash) return false;
    at = (at + 1) % hashes.length;
  }
  hashes[at] = hash;
  return true;
}

/** 53 bits of a text, never 0. Two lanes of FNV-1a with different primes, mixed at the end. */
function hash53(text: string): number {
  let a = 0x811c9dc5;
  let b = 0x2545f491;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b);
  }
  a = Math.imul(a ^ (a >>> 15), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 13), 0x27d4eb2f) ^ (a >>> 7);
  return (b & 0x1fffff) * 0x100000000 + (a >>> 0) || 1;
}
