import type { ReplicaId, UserId } from '@verdant-web/protocol';
import type { Scheduler } from '../scheduler.js';
import type { SocketConnection } from './connection.js';
import type { Attendance, ReplicaOfUser } from './consensus.js';

/** A replica, or a user, is no longer here. */
export interface RollListener {
  /** The replica's last connection is gone. `userGone`: it was the user's last one, too. */
  replicaLeft(userId: UserId, replicaId: ReplicaId, userGone: boolean): void;
  userCame(userId: UserId): void;
  userLeft(userId: UserId): void;
}

/** Who is connected to a library: by sockets, and over HTTP by leases that end some time after the last request. */
export class Roll implements Attendance {
  readonly #scheduler: Scheduler;
  readonly #leaseMs: number;
  readonly #listener: RollListener;
  readonly #sockets = new Set<SocketConnection>();
  readonly #leases = new Map<ReplicaKey, Lease>();
  /** How many sockets and leases each user has. */
  readonly #users = new Map<UserId, number>();
  readonly #replicas = new Map<ReplicaKey, Set<SocketConnection>>();
  #isRestoring = false;

  constructor(options: { scheduler: Scheduler; leaseMs: number; listener: RollListener }) {
    this.#scheduler = options.scheduler;
    this.#leaseMs = options.leaseMs;
    this.#listener = options.listener;
  }

  get sockets(): ReadonlySet<SocketConnection> {
    return this.#sockets;
  }

  /** Whether nobody is connected. */
  get isEmpty(): boolean {
    return this.#sockets.size === 0 && this.#leases.size === 0;
  }

  hasSocket(replica: ReplicaOfUser): boolean {
    for (const socket of this.#replicas.get(keyOf(replica.userId, replica.id)) ?? []) {
      if (socket.synced) return true;
    }
    return false;
  }

  /** Whether the replica has a socket, synced or not, or a lease. */
  has(replica: ReplicaOfUser): boolean {
    const key = keyOf(replica.userId, replica.id);
    return this.#replicas.has(key) || this.#leases.has(key);
  }

  /** Whether anything of the user's is connected. */
  hasUser(userId: UserId): boolean {
    return this.#users.has(userId);
  }

  isConnected(replica: ReplicaOfUser): boolean {
    return this.#leases.has(keyOf(replica.userId, replica.id)) || this.hasSocket(replica);
  }

  /** A socket comes in. */
  enter(socket: SocketConnection): void {
    this.#sockets.add(socket);
    this.#count(socket.caller.userId, 1);
  }

  /** The socket speaks for this replica from now on. A lease of the replica ends: it must not outlive the socket. */
  identify(socket: SocketConnection, replicaId: ReplicaId): void {
    if (socket.replicaId === replicaId) return;
    const { userId } = socket.caller;
    if (socket.replicaId !== null) this.#unlist(socket, keyOf(userId, socket.replicaId));
    socket.replicaId = replicaId;
    const key = keyOf(userId, replicaId);
    const sockets = this.#replicas.get(key) ?? new Set();
    this.#replicas.set(key, sockets.add(socket));
    const lease = this.#leases.get(key);
    if (!lease) return;
    lease.cancel();
    this.#leases.delete(key);
    this.#count(userId, -1);
  }

  /** The socket is gone. */
  leave(socket: SocketConnection): void {
    if (!this.#sockets.delete(socket)) return;
    const { replicaId, caller } = socket;
    if (replicaId !== null) this.#unlist(socket, keyOf(caller.userId, replicaId));
    this.#left(caller.userId, replicaId);
  }

  /** An HTTP request of this replica: it counts as connected for a while. */
  renewLease(userId: UserId, replicaId: ReplicaId): void {
    // A replica that has a socket is here by that, and is gone with it.
    const key = keyOf(userId, replicaId);
    if (this.#replicas.has(key)) return;
    const until = this.#scheduler.now() + this.#leaseMs;
    const lease = this.#leases.get(key);
    if (lease) {
      lease.until = until;
      return;
    }
    const added: Lease = { userId, replicaId, until, cancel: () => {} };
    this.#leases.set(key, added);
    this.#endWhenOver(added);
    this.#count(userId, 1);
  }

  /** It is renewed with each poll, and looked at once in a while. */
  #endWhenOver(lease: Lease): void {
    const left = lease.until - this.#scheduler.now();
    if (left <= 0) this.endLease(lease.replicaId, lease.userId);
    else lease.cancel = this.#scheduler.after(left, () => this.#endWhenOver(lease));
  }

  /** The lease of that user's replica is over. */
  endLease(replicaId: ReplicaId, userId: UserId): void {
    const key = keyOf(userId, replicaId);
    const lease = this.#leases.get(key);
    if (!lease) return;
    lease.cancel();
    this.#leases.delete(key);
    this.#left(userId, replicaId);
  }

  /** The leases of that user, or (null) of everybody, are over. */
  endLeasesOf(userId: UserId | null): void {
    for (const lease of [...this.#leases.values()]) {
      if (userId === null || lease.userId === userId) this.endLease(lease.replicaId, lease.userId);
    }
  }

  /** Who polls, and until when (wall-clock ms) each is here. */
  leases(): RestingLease[] {
    return [...this.#leases.values()].map(({ userId, replicaId, until }) => ({ userId, replicaId, until }));
  }

  /** Brings those in who were here before the process began: nobody has to be told. One whose time is over leaves at once. */
  restore(enter: () => void, leases: readonly RestingLease[]): void {
    this.#isRestoring = true;
    try {
      enter();
      for (const lease of leases) {
        const key = keyOf(lease.userId, lease.replicaId);
        if (this.#replicas.has(key) || this.#leases.has(key)) continue;
        this.#leases.set(key, { ...lease, cancel: () => {} });
        this.#count(lease.userId, 1);
      }
    } finally {
      this.#isRestoring = false;
    }
    for (const lease of [...this.#leases.values()]) this.#endWhenOver(lease);
  }

  /** Everybody is gone, without a word to anybody. */
  clear(): void {
    for (const { cancel } of this.#leases.values()) cancel();
    this.#leases.clear();
    this.#sockets.clear();
    this.#replicas.clear();
    for (const userId of this.#users.keys()) this.#listener.userLeft(userId);
    this.#users.clear();
  }

  #unlist(socket: SocketConnection, key: ReplicaKey): void {
    const sockets = this.#replicas.get(key);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#replicas.delete(key);
  }

  #left(userId: UserId, replicaId: ReplicaId | null): void {
    const userGone = this.#count(userId, -1) === 0;
    const key = replicaId === null ? null : keyOf(userId, replicaId);
    if (replicaId !== null && key !== null && !this.#replicas.has(key) && !this.#leases.has(key)) {
      this.#listener.replicaLeft(userId, replicaId, userGone);
    }
    if (userGone) this.#listener.userLeft(userId);
  }

  #count(userId: UserId, change: number): number {
    const count = (this.#users.get(userId) ?? 0) + change;
    if (count > 0) this.#users.set(userId, count);
    else this.#users.delete(userId);
    if (change > 0 && count === 1 && !this.#isRestoring) this.#listener.userCame(userId);
    return count;
  }
}

/** Of a replica that polls, as JSON. */
export interface RestingLease {
  readonly userId: UserId;
  readonly replicaId: ReplicaId;
  /** Wall-clock ms. */
  until: number;
}

/** Of a replica that polls. */
interface Lease extends RestingLease {
  cancel: () => void;
}

/** A replica of a user. */
type ReplicaKey = string & { readonly __key: unique symbol };

const keyOf = (userId: UserId, replicaId: ReplicaId) => JSON.stringify([userId, replicaId]) as ReplicaKey;
