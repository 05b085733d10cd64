import type { WireEntry } from '../clients/wire-log.js';
import type { Person } from './person.js';

/** As long as no content has gone to or from anybody for, all is said. Several polls. */
const QUIET_MS = 5_000;

/** Looks at wires, from now on, whether anything of substance goes over them. */
export class Quiet {
  readonly #people: readonly Person[];
  /** How far each wire was looked at. */
  readonly #seen: number[];
  #since = Date.now();

  constructor(people: readonly Person[]) {
    this.#people = people;
    this.#seen = people.map(({ entries }) => entries.length);
  }

  isQuiet(): boolean {
    if (this.hasBroken()) this.#since = Date.now();
    return Date.now() - this.#since > QUIET_MS;
  }

  /** Whether anything has gone over a wire since this was last asked. */
  hasBroken(): boolean {
    return this.#people
      .map(({ entries }, index) => {
        const fresh = entries.slice(this.#seen[index]);
        this.#seen[index] = entries.length;
        return fresh.some(hasContent);
      })
      .includes(true);
  }
}

const hasContent = ({ message: { operations = [], baselines = [], overwriteLocalData } }: WireEntry) =>
  operations.length + baselines.length > 0 || overwriteLocalData === true;
