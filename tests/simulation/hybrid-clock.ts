import { formatTimestamp, type Timestamp, timestampMs } from '@verdant-web/protocol';

/** The furthest that a remote time may be ahead before the client refuses to work. */
const MAX_DRIFT_MS = 60_000;

/**
 * The hybrid logical clock of one page. It lives in memory only: a page that is loaded again begins at the device's
 * wall clock, whatever its predecessor had heard of.
 */
export class HybridClock {
  readonly #wallClock: () => number;
  readonly #node: string;
  /** Of the app's schema. */
  readonly version: number;
  #ms: number;
  #counter = 0;
  #zeros = 0;

  constructor(wallClock: () => number, node: string, version: number) {
    this.#wallClock = wallClock;
    this.#node = node;
    this.version = version;
    this.#ms = wallClock();
  }

  /** What a migration to this version writes is dated so: after everything of earlier versions, before all else of this one. */
  zero(): Timestamp {
    return formatTimestamp({ version: this.version, ms: 0, counter: this.#zeros++, node: this.#node });
  }

  /** Each call gives a later time. */
  now(): Timestamp {
    const ms = Math.max(this.#ms, this.#wallClock());
    this.#counter = ms === this.#ms ? this.#counter + 1 : 0;
    this.#ms = ms;
    return formatTimestamp({ version: this.version, ms, counter: this.#counter, node: this.#node });
  }

  /** A time of somebody else was seen. Throws, as the client does, where it is too far ahead. */
  update(remote: Timestamp): void {
    const wall = this.#wallClock();
    const remoteMs = timestampMs(remote);
    const remoteCounter = Number.parseInt(remote.slice(13, 17), 36);
    const ms = Math.max(wall, this.#ms, remoteMs);
    if (ms - wall > MAX_DRIFT_MS) throw new Error(`maximum clock drift exceeded: ${ms - wall} ms`);
    if (ms === this.#ms && ms === remoteMs) this.#counter = Math.max(this.#counter, remoteCounter) + 1;
    else if (ms === this.#ms) this.#counter += 1;
    else this.#counter = ms === remoteMs ? remoteCounter + 1 : 0;
    this.#ms = ms;
  }
}
