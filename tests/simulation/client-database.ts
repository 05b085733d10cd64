import type { Baseline, Oid, Operation, PlainObject, Timestamp } from '@verdant-web/protocol';
import { idOf, type ObjectState, patched } from './objects.js';

/** An operation as a client keeps it. */
export interface LocalOperation extends Operation {
  /** Whether this device wrote it: only those are offered in later syncs. */
  isLocal: boolean;
}

interface ObjectHistory {
  baseline: Baseline | null;
  /** In timestamp order. */
  operations: LocalOperation[];
}

/**
 * What a device keeps on disk: baselines, operations and the time of the last sync that it knows to have succeeded.
 * Every method is one transaction.
 */
export class ClientDatabase {
  lastSynced: Timestamp | null = null;
  readonly #objects = new Map<Oid, ObjectHistory>();

  /*
   * What follows is not the client's: it is what checks know of it.
   */

  /** Operations that this device has taken in since it was last wiped, folded or not. */
  readonly held = new Set<string>();
  /** Everything that the server had folded when it made the last reset that was applied: counted folds. */
  heldFolds = 0;
  /** Epochs of the library of which this device took the founding baselines in. */
  readonly heldFoundings = new Set<number>();
  wipes = 0;
  /**
   * What was written here since the last wipe, by {@link idOf}. Not what was dated below what was folded here already: the device
   * itself overlooks that.
   */
  readonly written = new Map<string, Operation>();

  get oids(): Iterable<Oid> {
    return this.#objects.keys();
  }

  addOperations(operations: readonly Operation[], isLocal: boolean): void {
    for (const operation of operations) {
      const { oid, timestamp } = operation;
      const object = this.#object(oid);
      const stored = { ...operation, isLocal };
      const at = object.operations.findIndex((other) => other.timestamp >= timestamp);
      if (at < 0) object.operations.push(stored);
      else if (object.operations[at]!.timestamp === timestamp) object.operations[at] = stored;
      else object.operations.splice(at, 0, stored);
      const id = idOf(operation);
      const isOverlooked = object.baseline !== null && timestamp <= object.baseline.timestamp;
      if (isLocal && !isOverlooked) this.written.set(id, operation);
      this.held.add(id);
    }
  }

  /** Takes baselines in as they come: the client does not compare them with what it has. */
  setBaselines(baselines: readonly Baseline[]): void {
    for (const baseline of baselines) this.#object(baseline.oid).baseline = baseline;
  }

  /** A reset, its first half: everything goes. */
  wipe(): void {
    this.#objects.clear();
    this.lastSynced = null;
    this.held.clear();
    this.heldFoundings.clear();
    this.heldFolds = 0;
    this.wipes++;
    this.written.clear();
  }

  /** What a sync offers: own changes after `since`, or, where there was no sync yet, everything. */
  changesSince(since: Timestamp | null): { operations: Operation[]; baselines: Baseline[] } {
    const operations: LocalOperation[] = [];
    const baselines: Baseline[] = [];
    for (const object of this.#objects.values()) {
      for (const operation of object.operations) {
        if (since === null || (operation.isLocal && operation.timestamp > since)) operations.push(operation);
      }
      if (since === null && object.baseline) baselines.push(object.baseline);
    }
    const byTime = (a: { timestamp: string }, b: { timestamp: string }) =>
      a.timestamp < b.timestamp ? -1 : 1;
    return {
      operations: operations.sort(byTime).map(({ isLocal: _, ...operation }) => operation),
      baselines: baselines.sort(byTime),
    };
  }

  /** Fold every operation dated up to `through` into baselines, which are dated as the last of all of them. */
  fold(through: Timestamp): void {
    let last: Timestamp | null = null;
    const affected: Oid[] = [];
    for (const [oid, { operations }] of this.#objects) {
      let any = false;
      for (const { timestamp } of operations) {
        if (timestamp > through) continue;
        any = true;
        last = laterOf(last, timestamp);
      }
      if (any) affected.push(oid);
    }
    if (last === null) return;
    for (const oid of affected) this.#foldObject(this.#object(oid), oid, last);
  }

  #foldObject(object: ObjectHistory, oid: Oid, upTo: Timestamp): void {
    const before = object.baseline;
    let state: ObjectState = before ? structuredClone(before.snapshot) : undefined;
    let authz = before?.authz;
    const folded = object.operations.filter(({ timestamp }) => timestamp <= upTo);
    for (const { timestamp, data, authz: own } of folded) {
      if (before && timestamp <= before.timestamp) continue;
      state = patched(state, data);
      if (data.op === 'initialize') authz = own;
    }
    object.operations = object.operations.filter(({ timestamp }) => timestamp > upTo);
    object.baseline =
      state === undefined
        ? null
        : { oid, snapshot: state, timestamp: upTo, ...(authz === undefined ? {} : { authz }) };
  }

  /** The state of one object as the app sees it. */
  read(oid: Oid): ObjectState {
    const object = this.#objects.get(oid);
    if (!object) return undefined;
    const after = object.baseline?.timestamp ?? '';
    let state: ObjectState = object.baseline ? structuredClone(object.baseline.snapshot) : undefined;
    for (const { timestamp, data } of object.operations) {
      if (timestamp > after) state = patched(state, data);
    }
    return state;
  }

  /** Every object that is there. */
  readAll(): Map<Oid, PlainObject> {
    const all = new Map<Oid, PlainObject>();
    for (const oid of this.#objects.keys()) {
      const state = this.read(oid);
      if (state !== undefined) all.set(oid, state);
    }
    return all;
  }

  #object(oid: Oid): ObjectHistory {
    const known = this.#objects.get(oid);
    if (known) return known;
    const object: ObjectHistory = { baseline: null, operations: [] };
    this.#objects.set(oid, object);
    return object;
  }
}

const laterOf = <Time extends string>(a: Time | null, b: Time | null): Time | null =>
  a === null ? b : b === null || a >= b ? a : b;
