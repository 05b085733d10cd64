import {
  formatTimestamp,
  type Oid,
  parseOid,
  type ReplicaId,
  SERVER_REPLICA_ID,
  type ServerOrder,
  type Timestamp,
  timestampMs,
  timestampVersion,
} from '@verdant-web/protocol';
import { foldableOf } from '../storage/find-foldable.js';
import type { Head } from '../storage/rows.js';
import type { Foldable, FoldQuery } from '../storage/storage.js';
import { findConsensus } from './consensus.js';
import type { LiveLibrary } from './live-library.js';
import { planRebase, type RebasePlan, rebaseChange } from './rebase.js';

/** Folding waits this long, so that what is acknowledged together is folded together. */
const DELAY_MS = 300;
/**
 * A slice is made smaller or larger so that reading and folding it takes about this long; the event loop is free between slices.
 * Its commit takes about as long again, and then waits for the disk, which a smaller slice does not make shorter.
 */
const SLICE_MS = 2;
/** A slice of more costs little less for each operation, and who writes meanwhile waits for longer. */
const MAX_SLICE = 150;

/**
 * How long keys of folded operations are kept after their author's `since` has passed them: requests overtake each other,
 * and a client's `since` falls back with its clock. Longer than a clock that is wrong by an hour.
 */
const KEY_RETENTION_MS = 2 * 3_600_000;

/** Folds a library's history into baselines, slice by slice. At most one pass is under way. */
export class Rebaser {
  readonly #library: LiveLibrary;
  /** Whether there is a slice to do now. */
  isDue = false;
  #scheduled = false;
  #stopped = false;
  #cursor: ServerOrder = 0;
  #limit = MAX_SLICE;
  /** How far the last complete pass went. */
  #done: Bounds | null = null;

  constructor(library: LiveLibrary) {
    this.#library = library;
  }

  /** Schedule a pass where more may be folded than the last one could. */
  consider(): void {
    if (this.#stopped || this.isDue || this.#scheduled || !this.#hasMore()) return;
    this.#scheduled = true;
    this.#library.services.scheduler.after(DELAY_MS, () => {
      this.#scheduled = false;
      if (this.#stopped) return;
      this.#beginPass();
      this.isDue = true;
      this.#library.wake();
    });
  }

  /** Schedule nothing more: the library closes. */
  stop(): void {
    this.#stopped = true;
    this.isDue = false;
  }

  /** Fold a few operations. */
  async slice(): Promise<void> {
    const { head } = this.#library.state;
    const bounds = this.#bounds(head);
    if (bounds === null) this.isDue = false;
    else await this.#foldWith(head, bounds);
  }

  /** Commit this head, with a later global ack than before, and fold in the same commit what that allows, a slice of it. */
  async commitWith(head: Head): Promise<void> {
    const bounds = this.#library.pins.size === 0 ? this.#bounds(head) : null;
    this.#beginPass();
    if (bounds !== null) this.isDue = true;
    if (bounds === null || !(await this.#foldWith(head, bounds)))
      await this.#library.commit({ head: { ...head, version: head.version + 1 } });
  }

  #beginPass(): void {
    this.#cursor = 0;
    this.#library.state.tooLarge.beginPass();
  }

  /** False: there was nothing to fold, and nothing is committed. */
  async #foldWith(head: Head, bounds: Bounds): Promise<boolean> {
    const library = this.#library;
    const started = library.services.scheduler.now();
    const except = library.state.tooLarge.passedOver(bounds.through);
    const found = await library.storage.foldable({
      after: this.#cursor,
      ...bounds,
      limit: this.#limit,
      except,
    });
    const { operations, baselines, next } = found;
    const plan = await this.#plan(found, bounds);
    const folds = plan.fold.length > 0;
    if (folds) {
      this.#adapt(library.services.scheduler.now() - started);
      const { state } = library;
      await library.commit({
        ...rebaseChange(head, plan, baselines, started),
        dropKeys: [...state.confirmedSince, ...this.#repairedUpTo].map(([replicaId, since]) => ({
          replicaId,
          through: wellBefore(since),
        })),
      });
      state.confirmedSince.clear();
      library.log.debug?.(
        { operations: plan.fold.length, ms: library.services.scheduler.now() - started },
        'History is folded.',
      );
    }
    this.#note(plan);
    if (next === null) {
      this.isDue = false;
      this.#done = bounds;
    } else if (operations.length === 0) this.#cursor = next;
    return folds;
  }

  /**
   * What is too large with what was found may be small enough with all that may be folded. That is read for such an object
   * alone, once in a pass.
   */
  async #plan(found: Foldable, bounds: Bounds): Promise<RebasePlan> {
    const { storage, state, services } = this.#library;
    const { maxValueBytes } = services;
    const { operations, baselines } = found;
    const plan = planRebase(operations, baselines, maxValueBytes);
    if (plan.tooLarge.length === 0) return plan;
    const objects = plan.tooLarge;
    const stored = (await storage.lookup({ keys: [], replicas: [], access: [], objects })).objects;
    let planned = operations;
    for (const oid of objects) {
      const isOfObject = (row: { oid: Oid }): boolean => row.oid === oid;
      const all = foldableOf(stored.operations.filter(isOfObject), bounds);
      const isNews = state.tooLarge.found(oid, all);
      if (planRebase(all, baselines, maxValueBytes).tooLarge.length === 0)
        planned = [...planned.filter((row) => !isOfObject(row)), ...all];
      else if (isNews) this.#tell(oid);
    }
    return planned === operations ? plan : planRebase(planned, baselines, maxValueBytes);
  }

  #tell(oid: Oid): void {
    const { collection } = parseOid(oid);
    this.#library.log.warn?.({ collection }, 'An object is too large to be folded; its changes are kept.');
  }

  /** What was folded whole is not too large any more. */
  #note({ baselines, removeBaselines, tooLarge }: RebasePlan): void {
    const large = new Set(tooLarge);
    for (const oid of [...baselines.map((row) => row.oid), ...removeBaselines])
      if (!large.has(oid)) this.#library.state.tooLarge.forget(oid);
  }

  /** What the server wrote comes back with whole histories alone. */
  get #repairedUpTo(): [ReplicaId, Timestamp][] {
    const { horizon } = this.#library.state.head;
    return horizon === null ? [] : [[SERVER_REPLICA_ID, horizon]];
  }

  #adapt(tookMs: number): void {
    if (tookMs > SLICE_MS) this.#limit = Math.max(25, Math.floor(this.#limit / 2));
    else if (tookMs < SLICE_MS / 2) this.#limit = Math.min(MAX_SLICE, this.#limit + 25);
  }

  #hasMore(): boolean {
    const bounds = this.#bounds(this.#library.state.head);
    if (bounds === null) return false;
    const done = this.#done;
    return done === null || bounds.through > done.through || bounds.before > done.before;
  }

  /** What may be folded: what all that count hold, dated below what was announced; null: nothing. */
  #bounds(head: Head): Bounds | null {
    const { state, roll, activeSince, services } = this.#library;
    if (services.settings.disableRebasing || head.operations === 0 || head.announcedAck === null) return null;
    const { heldThrough } = findConsensus(state.replicas.values(), roll, activeSince);
    return { through: heldThrough ?? head.order, before: head.announcedAck };
  }
}

type Bounds = Pick<FoldQuery, 'through' | 'before'>;

const wellBefore = (since: Timestamp): Timestamp =>
  formatTimestamp({
    version: timestampVersion(since),
    ms: Math.max(0, timestampMs(since) - KEY_RETENTION_MS),
    counter: 0,
    node: '0000000',
  });
