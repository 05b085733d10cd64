import {
  compareTimestamps,
  isRoot,
  type Oid,
  type ReplicaId,
  SERVER_REPLICA_ID,
  type Timestamp,
} from '@verdant-web/protocol';
import type {
  AccessRow,
  BaselineRow,
  Head,
  OperationKey,
  OperationRow,
  ReplicaRow,
} from '../storage/rows.js';
import type { LibraryChange, StageId } from '../storage/storage.js';
import { type AccessView, isPublicAfter } from './access.js';
import type { AdmittedOperation } from './admission.js';
import { type BatchFacts, keyOf, type ObjectHistory } from './facts.js';
import { isOfServer } from './late.js';
import { changeSoftly, type LibraryState } from './state.js';

/** What one message changes. All of it is taken, or nothing. */
export interface Step {
  replica?: ReplicaRow;
  /** Whether the replica's change may be written later: acks and times, which only cost a repetition when lost. */
  soft?: boolean;
  head?: Head;
  /** Staged rows that become the library's content. */
  adopt?: StageId;
  operations?: readonly AdmittedOperation[];
  baselines?: readonly BaselineRow[];
  removeBaselines?: readonly Oid[];
  fold?: readonly number[];
  access?: readonly AccessRow[];
  /** Files that are referred to again. */
  usedFiles?: readonly string[];
  /** The author sends nothing at or before this any more. */
  confirmedSince?: Timestamp;
  /** The replica wrote what it may not, or (false) is told to forget that. */
  forbidden?: { replicaId: ReplicaId; wrote: boolean };
  /** The sync that is answered. */
  answered?: { replicaId: ReplicaId; timestamp: Timestamp };
}

/** A batch in the making: the state as it will be once everything decided so far is committed. */
export class Draft implements Pick<AccessView, 'access' | 'isPublic'> {
  readonly #state: LibraryState;
  readonly #facts: BatchFacts;
  readonly #replicas = new Map<ReplicaId, ReplicaRow>();
  readonly #hard = new Set<ReplicaId>();
  /** What the change holds, once it was asked for. */
  #written: ReadonlyMap<ReplicaId, ReplicaRow> = NO_ROWS;
  readonly #operations: OperationRow[] = [];
  // Made when they are needed, which of most drafts they never are: one is made for each ack.
  #access: Map<Oid, AccessRow> | undefined;
  #public: Map<Oid, boolean> | undefined;
  #stored: Set<string> | undefined;
  #baselines: BaselineRow[] | undefined;
  #removeBaselines: Oid[] | undefined;
  #fold: number[] | undefined;
  #usedFiles: Set<string> | undefined;
  #confirmed: Map<ReplicaId, Timestamp> | undefined;
  #answered: Map<ReplicaId, Timestamp[]> | undefined;
  #forbidden: Map<ReplicaId, boolean> | undefined;
  #histories: Map<Oid, OperationRow[]> | undefined;
  #missing: Set<Oid> | undefined;
  #adopted: StageId | null = null;
  #head: Head;
  /** How many of the operations are in {@link #histories}. */
  #sorted = 0;

  constructor(state: LibraryState, facts: BatchFacts) {
    this.#state = state;
    this.#facts = facts;
    this.#head = state.head;
  }

  get head(): Head {
    return this.#head;
  }

  /** Objects whose rows were asked for and are not known; null: none. What was decided without them must not be committed. */
  get missing(): ReadonlySet<Oid> | null {
    return this.#missing ?? null;
  }

  replica(id: ReplicaId): ReplicaRow | null {
    return this.#replicas.get(id) ?? this.#state.replicas.get(id) ?? this.#facts.replicas.get(id) ?? null;
  }

  access(root: Oid): AccessRow | null {
    return this.#access?.get(root) ?? this.#state.access.get(root) ?? this.#facts.access.get(root) ?? null;
  }

  isPublic(root: Oid): boolean {
    return this.#public?.get(root) ?? this.#facts.publicRoots.has(root);
  }

  /** Whether the operation is in the log, was folded, or is stored by an earlier message of the batch. */
  isStored(replica: ReplicaRow, oid: Oid, timestamp: Timestamp): boolean {
    if (replica.writtenThrough === null || timestamp > replica.writtenThrough) return false;
    return this.#isKnown({ replicaId: replica.id, oid, timestamp });
  }

  /** Whether it is what the server wrote itself, given back. */
  isRepair(oid: Oid, timestamp: Timestamp): boolean {
    return isOfServer(timestamp) && this.#isKnown({ replicaId: SERVER_REPLICA_ID, oid, timestamp });
  }

  #isKnown(operation: OperationKey): boolean {
    const key = keyOf(operation);
    return this.#stored?.has(key) || this.#facts.stored.has(key);
  }

  /**
   * Whether the operation is of the time before the library was evicted, and its replica was reset since: it may be in what
   * others founded the library with, under their names.
   */
  isOfBefore({ id, lastReset }: ReplicaRow, timestamp: Timestamp): boolean {
    const written = this.#state.writtenBefore.get(id);
    return written !== undefined && lastReset !== null && timestamp <= written && timestamp <= lastReset;
  }

  /** What is stored of an object; null: that has to be fetched first. See {@link missing}. */
  history(oid: Oid): ObjectHistory | null {
    const stored = this.#startsOver ? EMPTY_HISTORY : this.#facts.objects.get(oid);
    if (stored === undefined) {
      this.#missing ??= new Set();
      this.#missing.add(oid);
      return null;
    }
    this.#histories ??= new Map();
    for (; this.#sorted < this.#operations.length; this.#sorted++) {
      const row = this.#operations[this.#sorted]!;
      const rows = this.#histories.get(row.oid);
      if (rows) rows.push(row);
      else this.#histories.set(row.oid, [row]);
    }
    const added = this.#histories.get(oid) ?? [];
    if (added.length === 0 && !this.#startsOver) return stored;
    return {
      baseline: this.#startsOver
        ? (this.#baselines?.find((row) => row.oid === oid) ?? null)
        : stored.baseline,
      operations: [...stored.operations, ...added].sort(inOrderOfTime),
    };
  }

  /** Whether what was stored before the batch is replaced by what it brings, if there was any. */
  get #startsOver(): boolean {
    return !this.#state.head.founded || Boolean(this.#baselines ?? this.#removeBaselines ?? this.#fold);
  }

  /** Whether a sync with this timestamp was answered before. */
  wasAnswered(id: ReplicaId, timestamp: Timestamp): boolean {
    const isIt = (other: Timestamp) => other === timestamp;
    return (this.#answered?.get(id)?.some(isIt) || this.#state.answered.get(id)?.some(isIt)) ?? false;
  }

  /** Whether a sync of the replica is answered, and taken up, by an earlier message of the batch. */
  hasSynced(id: ReplicaId): boolean {
    return this.#answered?.has(id) === true && this.#replicas.has(id);
  }

  /** Whether the replica wrote what it may not, and so holds what nobody else does. */
  wroteForbidden(id: ReplicaId): boolean {
    return this.#forbidden?.get(id) ?? this.#state.wroteForbidden.has(id);
  }

  /** The lowest timestamp of what the replica has not acknowledged, of what was stored before the batch. */
  earliestUnseen(id: ReplicaId): string | null {
    return this.#facts.earliestUnseen.get(id) ?? null;
  }

  /** Everything that the library holds; only where a message asks to replace it. */
  get contents(): BatchFacts['contents'] {
    return this.#facts.contents;
  }

  apply(step: Step): void {
    if (step.head) this.#head = step.head;
    if (step.adopt !== undefined) this.#adopted = step.adopt;
    if (step.replica) {
      this.#replicas.set(step.replica.id, step.replica);
      if (!step.soft) this.#hard.add(step.replica.id);
    }
    for (const { row, patch } of step.operations ?? []) {
      this.#operations.push(row);
      this.#stored ??= new Set();
      this.#stored.add(keyOf(row));
      if (isRoot(row.oid)) this.#notePublic(row.oid, isPublicAfter(this.isPublic(row.oid), patch, row.authz));
    }
    for (const row of step.baselines ?? [])
      if (isRoot(row.oid)) this.#notePublic(row.oid, row.authz === null);
    this.#baselines = withMore(this.#baselines, step.baselines);
    this.#removeBaselines = withMore(this.#removeBaselines, step.removeBaselines);
    this.#fold = withMore(this.#fold, step.fold);
    for (const row of step.access ?? []) {
      this.#access ??= new Map();
      this.#access.set(row.root, row);
    }
    for (const id of step.usedFiles ?? []) {
      this.#usedFiles ??= new Set();
      this.#usedFiles.add(id);
    }
    if (step.forbidden) {
      this.#forbidden ??= new Map();
      this.#forbidden.set(step.forbidden.replicaId, step.forbidden.wrote);
    }
    if (step.answered) {
      const { replicaId, timestamp } = step.answered;
      this.#answered ??= new Map();
      this.#answered.set(replicaId, [...(this.#answered.get(replicaId) ?? []), timestamp]);
    }
    if (step.replica && step.confirmedSince) {
      this.#confirmed ??= new Map();
      this.#confirmed.set(step.replica.id, step.confirmedSince);
    }
  }

  #notePublic(root: Oid, isPublic: boolean): void {
    this.#public ??= new Map();
    this.#public.set(root, isPublic);
  }

  /**
   * What has to be committed before any effect may leave; null: nothing that cannot wait. What could wait goes with it
   * only where it is due by `now` (ms): in a library of many, everybody acknowledges each change.
   */
  changeAt(now: number): LibraryChange | null {
    if (this.#head === this.#state.head && this.#hard.size === 0) return null;
    const { epoch, version } = this.#state.head;
    this.#head = { ...this.#head, version: version + 1 };
    const replicas = new Map<ReplicaId, ReplicaRow>();
    for (const [id, due] of this.#state.dirty) {
      const row = due <= now && this.replica(id);
      if (row) replicas.set(id, row);
    }
    for (const id of this.#hard) replicas.set(id, this.#replicas.get(id)!);
    this.#written = replicas;
    const change: LibraryChange = {
      expect: { epoch, version },
      head: this.#head,
      operations: this.#operations,
      replicas: [...replicas.values()],
    };
    if (this.#adopted !== null) change.adopt = this.#adopted;
    if (this.#baselines) change.baselines = this.#baselines;
    if (this.#removeBaselines) change.removeBaselines = this.#removeBaselines;
    if (this.#fold) change.fold = this.#fold;
    if (this.#access) change.access = [...this.#access.values()];
    if (this.#usedFiles) change.markFiles = [{ ids: [...this.#usedFiles], pendingDeleteAt: null }];
    return change;
  }

  /** Make the draft the state: its change, if there is one, was written. */
  adopt(now: number): void {
    const state = this.#state;
    state.head = this.#head;
    for (const [id, row] of this.#written) {
      state.replicas.set(id, row);
      state.dirty.delete(id);
    }
    for (const [id, row] of this.#replicas) if (!this.#written.has(id)) changeSoftly(state, row, now);
    if (this.#adopted !== null) {
      // What was looked up before the rows were there says nothing any more.
      state.access.clear();
    } else {
      for (const [root, row] of this.#facts.access) remember(state.access, root, row);
      for (const [root, row] of this.#access ?? []) remember(state.access, root, row);
    }
    for (const [id, timestamps] of this.#answered ?? []) {
      state.answered.set(id, [...(state.answered.get(id) ?? []), ...timestamps].slice(-MAX_ANSWERED));
    }
    for (const [id, wrote] of this.#forbidden ?? []) {
      if (wrote) state.wroteForbidden.add(id);
      else state.wroteForbidden.delete(id);
    }
    for (const [id, since] of this.#confirmed ?? []) state.confirmedSince.set(id, since);
  }
}

const NO_ROWS: ReadonlyMap<ReplicaId, ReplicaRow> = new Map();

/** The list with these behind; undefined as long as there are none. */
function withMore<Item>(list: Item[] | undefined, more: readonly Item[] | undefined): Item[] | undefined {
  if (more === undefined || more.length === 0) return list;
  const all = list ?? [];
  for (const item of more) all.push(item);
  return all;
}

const EMPTY_HISTORY: ObjectHistory = { baseline: null, operations: [] };

const inOrderOfTime = (a: OperationRow, b: OperationRow): number =>
  compareTimestamps(a.timestamp, b.timestamp);

const MAX_REMEMBERED = 20_000;
/** More than requests of one replica that are under way at once. */
const MAX_ANSWERED = 8;

function remember(access: LibraryState['access'], root: Oid, row: AccessRow | null): void {
  access.delete(root);
  access.set(root, row);
  if (access.size <= MAX_REMEMBERED) return;
  for (const oldest of access.keys()) {
    access.delete(oldest);
    return;
  }
}
