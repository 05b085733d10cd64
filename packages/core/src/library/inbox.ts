import type { Connection } from './connection.js';
import type { Unit } from './unit.js';

/**
 * What waits to be worked off. Connections take turns, message by message, so that whoever floods a library waits behind
 * the flood alone.
 */
export class Inbox {
  /** What each connection waits for, in the order of their turns. None is empty. */
  readonly #lines = new Map<Connection, Line>();

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  push(unit: Unit): void {
    const line = this.#lines.get(unit.connection);
    if (line) line.units.push(unit);
    else this.#lines.set(unit.connection, { units: [unit], next: 0 });
  }

  /**
   * Takes out up to `most`, by their size; one that has to be by itself comes alone. What is taken of one connection comes in
   * a row: it is committed together, and can be told to others as one message.
   */
  take(most: number, isByItself: (unit: Unit) => boolean): Unit[] {
    if (this.#lines.size === 1) return this.#takeOfOne(most, isByItself);
    const taken = new Map<Connection, Unit[]>();
    let room = most;
    // A line that goes to the end is met again there.
    for (const [connection, line] of this.#lines) {
      const unit = line.units[line.next]!;
      const byItself = isByItself(unit);
      if (room <= 0 || (byItself && taken.size > 0)) break;
      room -= unit.size;
      const row = taken.get(connection);
      if (row) row.push(unit);
      else taken.set(connection, [unit]);
      this.#lines.delete(connection);
      line.next++;
      if (line.next < line.units.length) this.#lines.set(connection, compacted(line));
      if (byItself) break;
    }
    return [...taken.values()].flat();
  }

  /** As {@link take}, where nobody but one waits. */
  #takeOfOne(most: number, isByItself: (unit: Unit) => boolean): Unit[] {
    const [[connection, line]] = this.#lines as unknown as [[Connection, Line]];
    const { units, next } = line;
    let end = next;
    for (let room = most; end < units.length && room > 0; end++) {
      room -= units[end]!.size;
      if (!isByItself(units[end]!)) continue;
      if (end === next) end++;
      break;
    }
    if (end === units.length) this.#lines.delete(connection);
    else this.#lines.set(connection, compacted({ units, next: end }));
    return next === 0 && end === units.length ? units : units.slice(next, end);
  }

  /** Takes out everything. */
  takeAll(): Unit[] {
    return this.take(Number.POSITIVE_INFINITY, () => false);
  }
}

interface Line {
  units: Unit[];
  /** The first that was not taken out. */
  next: number;
}

/** Lets go of what was taken out, now and then: to do it each time would take the square of the time. */
const compacted = (line: Line): Line =>
  line.next < 1_000 ? line : { units: line.units.slice(line.next), next: 0 };
