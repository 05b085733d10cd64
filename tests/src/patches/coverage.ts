import type { Patch, PlainObject } from '@verdant-web/protocol';
import { argumentKind, argumentKinds } from './argument-kinds.js';
import { ops } from './random-patches.js';
import { type StateKind, stateKind, stateKinds } from './state-kinds.js';

/** How often each op met each kind of state, and each kind of what may be in its fields. */
export class Coverage {
  readonly #pairs = new Map<string, number>();

  add(state: PlainObject | undefined, deleted: boolean, patch: Patch): void {
    const { op } = patch;
    this.#count(`${op} on ${stateKind(state, deleted)}`);
    for (const field of Object.keys(argumentKinds[op] ?? {})) {
      const value = (patch as unknown as Record<string, unknown>)[field];
      this.#count(`${op} with ${field}: ${argumentKind(op, field, value, state)}`);
    }
  }

  onState(op: string, kind: StateKind): number {
    return this.#pairs.get(`${op} on ${kind}`) ?? 0;
  }

  withArgument(op: string, field: string, kind: string): number {
    return this.#pairs.get(`${op} with ${field}: ${kind}`) ?? 0;
  }

  /** All that a run should have met. */
  static pairs(): string[] {
    const pairs: string[] = [];
    for (const op of ops) {
      for (const kind of stateKinds) pairs.push(`${op} on ${kind}`);
      for (const [field, kinds] of Object.entries(argumentKinds[op] ?? {})) {
        for (const kind of kinds) pairs.push(`${op} with ${field}: ${kind}`);
      }
    }
    return pairs;
  }

  /** What it did not meet. */
  get missing(): string[] {
    return Coverage.pairs().filter((pair) => !this.#pairs.has(pair));
  }

  /** What it met and does not know: a kind is missing in the lists above. */
  get unknown(): string[] {
    const known = new Set(Coverage.pairs());
    return [...this.#pairs.keys()].filter((pair) => !known.has(pair));
  }

  #count(pair: string): void {
    this.#pairs.set(pair, (this.#pairs.get(pair) ?? 0) + 1);
  }
}
