import type { BaselineRow, Head, LibraryChange, ReplicaRow } from '@verdant-web/core';
import type {
  AuthzKey,
  Oid,
  Operation,
  Patch,
  PlainObject,
  ReplicaId,
  ServerOrder,
  Timestamp,
} from '@verdant-web/protocol';
import { SERVER_REPLICA_ID } from '@verdant-web/protocol';
import { idOf, type ObjectState, patched } from './objects.js';

/** An operation that the server has stored, remembered for ever. */
export interface Accepted {
  id: string;
  epoch: number;
  order: ServerOrder;
  replicaId: ReplicaId;
  oid: Oid;
  timestamp: Timestamp;
  patch: Patch;
  authz: AuthzKey | null;
  /** The how-manieth fold it was; null: it is in the log. */
  fold: number | null;
}

/** What a library's storage has been told since it was founded. Knows everything, unlike the server. */
export class AcceptedLog {
  /** Every operation that was ever stored, in whichever epoch; the latest storing of it. */
  readonly ever = new Map<string, Accepted>();
  epoch = 0;
  head: Head | null = null;
  /** Of this epoch, in server order. */
  operations: Accepted[] = [];
  byOrder = new Map<ServerOrder, Accepted>();
  replicas = new Map<ReplicaId, ReplicaRow>();
  /** Baselines that the library was founded with, and the server order that they took. */
  founding: { baselines: BaselineRow[]; order: ServerOrder; by: ReplicaId | null } | null = null;
  /** Operations of devices that were accepted although they are dated below what others may have folded, over all epochs. */
  readonly late: Accepted[] = [];
  /** Everything that was stored, over all epochs: what is stored again after an eviction is in it again. */
  readonly stored: Accepted[] = [];
  /** Operations folded so far, over all epochs. */
  folds = 0;
  accepted = 0;

  /**
   * Whether a change founds the library with baselines, or brings a whole history anew: then the baselines take a server
   * order of their own. Others are those of a fold.
   */
  replacesAll({
    head,
    operations = [],
    baselines = [],
    removeBaselines = [],
    fold = [],
  }: LibraryChange): boolean {
    const before = this.head?.epoch === head.epoch ? this.head.order : 0;
    const brings = operations.length > 0 && baselines.length + removeBaselines.length + fold.length > 0;
    return brings || (baselines.length > 0 && head.order - before > operations.length);
  }

  /** The storage has made this change. */
  commit(change: LibraryChange): void {
    const before = this.head;
    const operations = change.operations ?? [];
    if (this.replacesAll(change)) {
      const order = change.head.foldedThrough;
      this.founding = { baselines: [...(change.baselines ?? [])], order, by: change.head.soleAuthor };
      // A history that is sent anew takes the place of everything.
      this.operations = [];
      this.byOrder = new Map();
    } else {
      for (const order of change.fold ?? []) this.#fold(order);
    }
    for (const row of operations) {
      const accepted: Accepted = {
        id: idOf(row),
        epoch: this.epoch,
        order: row.order,
        replicaId: row.replicaId,
        oid: row.oid,
        timestamp: row.timestamp,
        patch: JSON.parse(row.data) as Patch,
        authz: row.authz,
        fold: null,
      };
      this.operations.push(accepted);
      this.byOrder.set(accepted.order, accepted);
      this.ever.set(accepted.id, accepted);
      this.accepted++;
      this.stored.push(accepted);
      const isRepair = row.replicaId === SERVER_REPLICA_ID;
      if (!isRepair && before?.horizon && row.timestamp <= before.horizon) this.late.push(accepted);
    }
    for (const id of change.removeReplicas ?? []) this.replicas.delete(id);
    for (const row of change.replicas ?? []) this.replicas.set(row.id, row);
    this.head = change.head;
  }

  evict(head: Head): void {
    this.epoch = head.epoch;
    this.head = head;
    this.operations = [];
    this.byOrder = new Map();
    this.replicas = new Map();
    this.founding = null;
  }

  /** Whether the document was created as a private one, in this epoch. */
  isPrivate(root: Oid): boolean {
    const founding = this.founding?.baselines ?? [];
    return (
      this.operations.some(
        ({ oid, authz, patch }) => oid === root && authz !== null && patch.op === 'initialize',
      ) || founding.some(({ oid, authz }) => oid === root && authz !== null)
    );
  }

  /**
   * What the library's objects should be: everything accepted, and these besides, in order of time, as the oracle applies it.
   */
  objects(besides: readonly Operation[] = []): Map<Oid, PlainObject> {
    const histories = new Map<Oid, Pick<Accepted, 'timestamp' | 'patch'>[]>();
    const add = (oid: Oid, timestamp: Timestamp, patch: Patch) => {
      const history = histories.get(oid) ?? [];
      history.push({ timestamp, patch });
      histories.set(oid, history);
    };
    for (const { oid, timestamp, patch } of this.operations) add(oid, timestamp, patch);
    for (const { oid, timestamp, data } of besides) add(oid, timestamp, data);
    const founding = new Map(this.founding?.baselines.map((row) => [row.oid, row]));
    const objects = new Map<Oid, PlainObject>();
    for (const oid of new Set([...histories.keys(), ...founding.keys()])) {
      const baseline = founding.get(oid);
      let state: ObjectState = baseline ? (JSON.parse(baseline.snapshot) as PlainObject) : undefined;
      const history = (histories.get(oid) ?? []).sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
      for (const { timestamp, patch } of history) {
        if (baseline && timestamp <= baseline.timestamp) continue;
        state = patched(state, patch);
      }
      if (state !== undefined) objects.set(oid, state);
    }
    return objects;
  }

  #fold(order: ServerOrder): void {
    const accepted = this.byOrder.get(order);
    if (accepted && accepted.fold === null) accepted.fold = this.folds++;
  }
}
