import { countsWhileAway, VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { asVerdantError } from './as-verdant-error.js';
import { Conflict } from './conflict.js';
import { isTruant } from './consensus.js';
import type { DecideContext } from './decide.js';
import { decideBatch, isRefused } from './decide-batch.js';
import { Draft } from './draft.js';
import type { Effect } from './effects.js';
import { reclaimSpace } from './evict.js';
import { type BatchFacts, gatherFacts, gatherObjects } from './facts.js';
import { stageFounding } from './founding.js';
import type { Inbound } from './inbound.js';
import type { Inbox } from './inbox.js';
import type { LiveLibrary } from './live-library.js';
import type { Releaser } from './releaser.js';
import type { Unit } from './unit.js';

/** A batch this long is decided and committed before more is taken. */
const MAX_BATCH = 256;
/** A batch that meets another writer is decided anew this often. */
const MAX_ATTEMPTS = 3;
/** What a client may take to apply a reset. */
const APPLY_MS = 5_000;
const SEEN_EVERY_MS = 10_000;

/** Works a library's inbox off: read → gather facts → decide → one commit → release effects. */
export class Batches {
  readonly #library: LiveLibrary;
  readonly #releaser: Releaser;

  constructor(library: LiveLibrary, releaser: Releaser) {
    this.#library = library;
    this.#releaser = releaser;
  }

  /** Takes out what is decided and committed together. One that may found the library in pieces is by itself. */
  take(inbox: Inbox): Unit[] {
    return inbox.take(MAX_BATCH, (unit) => this.#isFoundedInPieces(unit));
  }

  async workOff(units: Unit[], attempt = 1): Promise<void> {
    try {
      await this.#decideAndCommit(units);
    } catch (error) {
      // Whether or not the commit reached the disk, the storage knows.
      const known = await this.#library.reload(error);
      if (known && error instanceof Conflict && attempt < MAX_ATTEMPTS)
        return this.workOff(units, attempt + 1);
      if (known && units.length > 1) {
        // One of them may be at fault: it must not take the others with it.
        for (const unit of units) await this.workOff([unit]);
        return;
      }
      for (const unit of units) {
        unit.connection.log.error?.({ err: error }, 'A message could not be worked off.');
        unit.failed(asVerdantError(error));
      }
    }
  }

  #decideAndCommit(units: Unit[]): Promise<void> {
    const [first] = units;
    if (first && this.#isFoundedInPieces(first)) return this.#foundInPieces(first);
    return this.#commitAndRelease(units, this.#read(units));
  }

  #read(units: Unit[]): Inbound[][] {
    return units.map((unit) => (this.#isStale(unit) ? [] : unit.read()));
  }

  async #foundInPieces(unit: Unit): Promise<void> {
    const staged = await this.#stage(unit);
    if (staged === null) return this.#commitAndRelease([unit], this.#read([unit]));
    try {
      await this.#commitAndRelease([unit], [staged]);
    } finally {
      // Nothing of it is left where it was adopted.
      for (const inbound of staged) {
        if (inbound.error === null && inbound.staged)
          await this.#library.storage.discardStage(inbound.staged.stage);
      }
      void reclaimSpace(this.#library);
    }
  }

  /** Stage what a long unit founds the library with; null: it is read as a whole. */
  async #stage(unit: Unit): Promise<Inbound[] | null> {
    if (unit.long === null || this.#isStale(unit)) return null;
    return stageFounding(
      this.#library,
      unit,
      unit.long,
      this.#decideContext(this.#library.services.scheduler.now()),
    );
  }

  async #commitAndRelease(units: Unit[], inbound: Inbound[][]): Promise<void> {
    const { storage, state, services } = this.#library;
    const now = services.scheduler.now();
    const gathered = gatherFacts(storage, state, inbound.length === 1 ? inbound[0]! : inbound.flat());
    // Nearly always they are at hand: a promise that is not made is not waited for.
    const facts = gathered instanceof Promise ? await gathered : gathered;
    let decided = this.#decide(facts, inbound, now);
    // Anew, where that asks for the rows of objects that an operation came late for.
    while (decided.draft.missing !== null)
      decided = this.#decide(
        await gatherObjects(storage, decided.facts, decided.draft.missing),
        inbound,
        now,
      );
    const { draft, effects } = decided;
    const change = draft.changeAt(now);
    if (change) {
      const result = await storage.commit(change);
      if (!result.ok) throw new Conflict();
      state.tooLarge.wrote(change.operations ?? []);
    }
    draft.adopt(now);
    for (const [index, unit] of units.entries()) this.#release(unit, effects[index]!);
    this.#releaser.tellOthers();
    this.#library.settler.soon();
  }

  #decide(facts: BatchFacts, inbound: Inbound[][], now: number) {
    const draft = new Draft(this.#library.state, facts);
    return { facts, draft, effects: decideBatch(draft, this.#decideContext(now), inbound) };
  }

  /** It is durable: let the world hear. What goes wrong here concerns whoever is told of it, and nobody else. */
  #release(unit: Unit, effects: readonly Effect[]): void {
    if (this.#isStale(unit)) {
      unit.failed(evicted());
      return;
    }
    try {
      for (const effect of effects) this.#releaser.release(effect, unit);
      if (!isRefused(effects)) unit.done();
    } catch (error) {
      unit.connection.log.error?.({ err: error }, 'An answer failed.');
      unit.failed(asVerdantError(error));
    }
  }

  /** Whether it came over a connection that was opened before the library was evicted, or is refused. */
  #isStale({ connection, epoch }: Unit): boolean {
    return epoch !== this.#library.state.head.epoch || (connection.kind === 'socket' && connection.refused);
  }

  #isFoundedInPieces({ long }: Unit): boolean {
    return long !== null && !this.#library.state.head.founded;
  }

  #decideContext(now: number): DecideContext {
    const { activeSince } = this.#library;
    const { maxClockDrift, truancyMs } = this.#library.services.settings;
    return {
      now,
      maxClockDrift,
      seenEveryMs: Math.min(SEEN_EVERY_MS, truancyMs / 10),
      maxValueBytes: this.#library.services.maxValueBytes,
      isTruant: (row) => isTruant(row, this.#library.roll, activeSince),
      isApplyingReset: ({ id }) =>
        now - (this.#library.state.resetOverHttp.get(id) ?? Number.NEGATIVE_INFINITY) < APPLY_MS,
      wasAwayUncounted: (row) => !countsWhileAway(row.type) && !this.#library.state.counted.has(row.id),
    };
  }
}

const evicted = (): VerdantError =>
  new VerdantError(VerdantErrorCode.Busy, 'The library was evicted while this was under way. Sync again.', {
    retryAfter: 1,
  });
