import type { LibraryChange, ReplicaRow } from '@verdant-web/core';
import {
  type AuthzKey,
  authzKeyFor,
  type ClientMessage,
  countsWhileAway,
  mayWrite,
  type Oid,
  type Operation,
  type ReplicaId,
  type ReplicaType,
  rootOf,
  type ServerMessage,
  type ServerOrder,
  type Timestamp,
  type UserId,
} from '@verdant-web/protocol';
import { type Accepted, AcceptedLog } from './accepted-log.js';
import type { ClientDatabase } from './client-database.js';
import { idOf, mayBeSeenBy } from './objects.js';

/** A device, as checks look at it: at what it really has on disk, whatever the server believes. */
export interface CheckedReplica {
  readonly id: ReplicaId;
  readonly userId: UserId;
  readonly type: ReplicaType;
  readonly database: ClientDatabase;
}

/** What one connection has been shown. An HTTP request is one, too. */
export class Audience {
  synced = false;
  /** The highest server order that it was shown. */
  through: ServerOrder = 0;
  globalAck: Timestamp | null = null;
  /** Operations of each `op` that was sent here, by the message's timestamp. */
  readonly offered = new Map<Timestamp, readonly Operation[]>();

  /** `epoch`: the library's, when the connection was opened. What leaves after an eviction tells of what was before it. */
  constructor(
    readonly replica: CheckedReplica,
    readonly epoch: number,
  ) {}
}

/**
 * What must always hold (docs/architecture.md, "Always true"), looked at whenever something is stored, folded or shown. Sees the
 * storage, every message and every disk, so that nothing has to be believed.
 */
export class Checks {
  readonly log = new AcceptedLog();
  readonly failures: string[] = [];
  /** Operations that no server should accept. */
  readonly trespasses = new Set<string>();
  /** Operations that a hostile client has dated at or below the announced global ack. */
  readonly misdated = new Set<string>();
  readonly #replicas = new Map<ReplicaId, CheckedReplica>();
  readonly #syncs = new Map<ReplicaId, Map<Timestamp, readonly Operation[]>>();
  /** Up to where the acked order of a replica was found to be true. */
  readonly #verified = new Map<ReplicaId, { epoch: number; wipes: number; through: ServerOrder }>();
  readonly #now: () => number;
  readonly #truancyMs: number;

  constructor(options: { now: () => number; truancyMs: number }) {
    this.#now = options.now;
    this.#truancyMs = options.truancyMs;
  }

  fail(rule: string, what: string): void {
    this.failures.push(`[${rule}] ${what}`);
  }

  addReplica(replica: CheckedReplica): void {
    this.#replicas.set(replica.id, replica);
    this.#syncs.set(replica.id, new Map());
  }

  // --- Storage ------------------------------------------------------------------------------------------------------

  committed(change: LibraryChange): void {
    const { log } = this;
    const before = log.head;
    if (change.expect.epoch !== log.epoch) {
      this.fail('epoch', `a change decided in epoch ${change.expect.epoch} is stored in epoch ${log.epoch}`);
    }
    const founds = this.log.replacesAll(change);
    if (founds) this.#checkReplaced(change);
    let last = before?.order ?? 0;
    for (const row of change.operations ?? []) {
      if (row.order <= last) this.fail('order', `server order ${row.order} is given out after ${last}`);
      last = Math.max(last, row.order);
      const id = idOf(row);
      const known = log.ever.get(id);
      if (known?.epoch === log.epoch && log.byOrder.has(known.order) && !founds) {
        this.fail('once', `${id} is stored again, as ${row.order} after ${known.order}`);
      }
      const author = this.#replicas.get(row.replicaId);
      if (author && !mayBeSeenBy(author.userId, row.oid) && log.isPrivate(rootOf(row.oid))) {
        this.fail('access', `${author.userId} has written ${row.oid}`);
      }
    }
    if (change.head.order < last) this.fail('order', `the head falls to ${change.head.order} from ${last}`);
    const announced = before?.announcedAck;
    if (announced && (change.head.announcedAck === null || change.head.announcedAck < announced)) {
      this.fail('global ack', `the announced ack falls from ${announced} to ${change.head.announcedAck}`);
    }
    if (!founds && (change.operations ?? []).length === 0) this.#checkFold(change);
    log.commit(change);
    for (const row of change.replicas ?? []) this.#checkAcked(row);
  }

  /** A replica sends its whole history over its own: nothing that was accepted may be missing from it. */
  #checkReplaced(change: LibraryChange): void {
    const sent = new Set(change.operations?.map(idOf));
    const folded =
      (change.baselines ?? [])
        .map(({ timestamp }) => timestamp)
        .sort()
        .at(-1) ?? '';
    for (const { id, timestamp, order } of this.log.operations) {
      if (timestamp > folded && !sent.has(id)) {
        this.fail('durable', `${id} (${order}) is lost: a history without it takes the place of everything`);
      }
    }
  }

  #checkFold(change: LibraryChange): void {
    const rows = new Map(this.log.replicas);
    for (const row of change.replicas ?? []) rows.set(row.id, row);
    for (const order of change.fold ?? []) {
      const accepted = this.log.byOrder.get(order);
      if (!accepted) {
        this.fail('fold', `${order} is folded, which was never stored`);
        continue;
      }
      const announced = change.head.announcedAck;
      if (announced === null || accepted.timestamp >= announced) {
        this.fail('fold', `${accepted.id} is folded, which is not below the announced ack ${announced}`);
      }
      for (const row of rows.values()) {
        const replica = this.#replicas.get(row.id);
        if (
          !replica ||
          row.ackedTime === null ||
          !countsWhileAway(row.type) ||
          row.pending.some(({ reset }) => reset)
        )
          continue;
        if (row.lastSeen < this.#now() - this.#truancyMs) continue;
        if (!this.#holds(replica, accepted)) {
          this.fail('fold', `${accepted.id} (${order}) is folded; ${row.id}, which counts, does not hold it`);
        }
      }
    }
  }

  /** Whether what the server takes a replica to hold is really there. */
  #checkAcked(row: ReplicaRow): void {
    const replica = this.#replicas.get(row.id);
    if (!replica || isBeingReset(row)) return;
    const { log } = this;
    const { wipes } = replica.database;
    const known = this.#verified.get(row.id);
    const from = known?.epoch === log.epoch && known.wipes === wipes ? known.through : 0;
    const { founding } = log;
    if (founding && founding.order > from && founding.order <= row.ackedOrder && founding.by !== row.id) {
      const visible = founding.baselines.some(({ authz }) => authz === null || authz === keyOf(replica));
      if (visible && !replica.database.heldFoundings.has(log.epoch)) {
        this.fail(
          'acked',
          `${row.id} is taken to hold the baselines that ${founding.by} founded the library with (${founding.order} of ${row.ackedOrder}), and does not`,
        );
      }
    }
    for (let at = log.operations.length - 1; at >= 0; at--) {
      const accepted = log.operations[at]!;
      if (accepted.order <= from) break;
      if (accepted.order <= row.ackedOrder && !this.#holds(replica, accepted)) {
        this.fail(
          'acked',
          `${row.id} is taken to hold everything through ${row.ackedOrder}, but not ${accepted.id} (${accepted.order})`,
        );
      }
    }
    this.#verified.set(row.id, { epoch: log.epoch, wipes, through: row.ackedOrder });
  }

  #holds(replica: CheckedReplica, { id, authz, fold }: Accepted): boolean {
    if (authz !== null && authz !== keyOf(replica)) return true;
    return replica.database.held.has(id) || (fold !== null && fold < replica.database.heldFolds);
  }

  // --- Messages -----------------------------------------------------------------------------------------------------

  /** A client has sent this. */
  offered(audience: Audience, message: ClientMessage): void {
    if (message.type === 'op') audience.offered.set(message.timestamp, message.operations);
    if (message.type === 'sync') {
      this.#syncs.get(audience.replica.id)?.set(message.timestamp, message.operations);
    }
  }

  /** The server has let go of this. */
  shown(audience: Audience, message: ServerMessage): void {
    if (audience.epoch !== this.log.epoch) return;
    switch (message.type) {
      case 'op-re':
        if (!audience.synced)
          this.fail('session', `${audience.replica.id} is sent op-re before its sync is answered`);
        this.#checkShown(audience, message.operations);
        for (const { oid } of message.baselines ?? []) this.#checkVisible(audience, oid, null);
        this.#checkGlobalAck(audience, message.globalAckTimestamp, true);
        return;
      case 'sync-resp':
        this.#checkReply(audience, message);
        return;
      case 'server-ack': {
        const operations = audience.offered.get(message.timestamp);
        if (!operations) this.fail('server-ack', `${message.timestamp} acknowledges nothing that was sent`);
        else this.#checkDurable(audience.replica, operations, 'server-ack');
        return;
      }
      case 'global-ack':
        this.#checkGlobalAck(audience, message.timestamp, false);
        return;
    }
  }

  #checkReply(audience: Audience, message: Extract<ServerMessage, { type: 'sync-resp' }>): void {
    const { replica } = audience;
    const offered = this.#syncs.get(replica.id)?.get(message.ackedTimestamp);
    if (!offered)
      this.fail('sync', `${replica.id} is answered a sync that it never sent: ${message.ackedTimestamp}`);
    if (!message.overwriteLocalData) {
      if (message.baselines.length > 0) this.fail('sync', `${replica.id} is sent baselines without a reset`);
      this.#checkDurable(replica, offered ?? [], 'sync');
      const sent = new Set(offered?.map(idOf));
      for (const operation of message.operations) {
        if (sent.has(idOf(operation)))
          this.fail('sync', `${replica.id} is sent ${idOf(operation)}, which it just sent`);
      }
    }
    for (const { oid } of message.baselines) this.#checkVisible(audience, oid, null);
    // A later sync on the same connection repeats what was not proven to be applied.
    const { through } = audience;
    audience.through = 0;
    this.#checkShown(audience, message.operations);
    audience.through = Math.max(through, audience.through);
    audience.synced = true;
    this.#checkGlobalAck(audience, message.globalAckTimestamp, true);
  }

  #checkShown(audience: Audience, operations: readonly Operation[]): void {
    for (const operation of operations) {
      const accepted = this.log.ever.get(idOf(operation));
      if (!accepted || accepted.epoch !== this.log.epoch) {
        this.fail('durable', `${idOf(operation)} is shown to ${audience.replica.id}, but not stored`);
        continue;
      }
      if (!this.trespasses.has(accepted.id)) this.#checkVisible(audience, operation.oid, accepted.authz);
      // What a replica wrote while a reset was under way, which may have wiped it, is sent back when that is over.
      const isSentBack = accepted.replicaId === audience.replica.id;
      if (accepted.order <= audience.through && !isSentBack) {
        this.fail(
          'session',
          `${audience.replica.id} is sent ${accepted.id} (${accepted.order}) after ${audience.through}`,
        );
      }
      audience.through = Math.max(audience.through, accepted.order);
      const extra = Object.keys(operation).filter((name) => !WIRE_FIELDS.has(name));
      if (extra.length > 0) this.fail('wire', `an operation carries ${extra.join(', ')}`);
    }
  }

  #checkVisible({ replica }: Audience, oid: Oid, authz: AuthzKey | null): void {
    if (mayBeSeenBy(replica.userId, oid) && (authz === null || authz === keyOf(replica))) return;
    this.fail('access', `${replica.id} of ${replica.userId} is shown ${oid}`);
  }

  #checkGlobalAck(audience: Audience, timestamp: Timestamp | undefined, repeats: boolean): void {
    if (timestamp === undefined) return;
    const { announcedAck } = this.log.head ?? { announcedAck: null };
    if (announcedAck === null || timestamp > announcedAck) {
      this.fail('global ack', `${timestamp} is announced, but ${announcedAck} is stored`);
    }
    const before = audience.globalAck;
    if (before !== null && (repeats ? timestamp < before : timestamp <= before)) {
      this.fail('global ack', `${timestamp} is announced to ${audience.replica.id} after ${before}`);
    }
    audience.globalAck = timestamp;
  }

  #checkDurable(replica: CheckedReplica, operations: readonly Operation[], by: string): void {
    // What a reader writes is never stored; it is told so by a reset, once there is something to reset it to.
    if (!mayWrite(replica.type)) return;
    const resets = this.log.replicas.get(replica.id)?.pending.filter(({ reset }) => reset) ?? [];
    for (const operation of operations) {
      const id = idOf(operation);
      const accepted = this.log.ever.get(id);
      if (accepted?.epoch === this.log.epoch || this.trespasses.has(id)) continue;
      // A reset forfeits what was written before it.
      if (resets.some(({ timestamp }) => operation.timestamp <= timestamp)) continue;
      this.fail('durable', `${id} of ${replica.id} is acknowledged by a ${by}, but not stored`);
    }
  }
}

/** Whether the replica was told to drop what it has, and may be about to. */
const isBeingReset = ({ pending }: ReplicaRow): boolean => pending.some(({ reset }) => reset);

const keyOf = ({ userId }: CheckedReplica): AuthzKey => authzKeyFor(userId);

const WIRE_FIELDS = new Set(['oid', 'timestamp', 'data', 'authz']);
