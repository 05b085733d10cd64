import type { ReplicaId, UserId, UserInfo } from '@verdant-web/protocol';

/** Who is present in a library, by user id. */
export type LibraryPresence = Record<string, UserInfo>;

/** What a replica announced, as JSON. */
export interface Announced {
  info: UserInfo;
  /** Whether the replica has left, while its user is still here. */
  gone: boolean;
}

/** Of more devices than a user has, the one that announced something longest ago is forgotten. */
const MAX_REPLICAS = 64;

/** What was announced in one library, by user and replica. In memory only. */
export class PresenceBoard {
  /** Replicas in the order of their last announcement: the last one is what others see. */
  readonly #users = new Map<UserId, Map<ReplicaId, UserInfo>>();
  /** Announced by replicas that have left, and shown until their user announces something else or leaves. */
  readonly #gone = new WeakSet<UserInfo>();

  /** A replica announces something. What it leaves out stays as it was. */
  announce(
    userId: UserId,
    replicaId: ReplicaId,
    update: { presence?: unknown; internal?: unknown; profile: unknown },
  ): UserInfo {
    const replicas = this.#users.get(userId) ?? new Map<ReplicaId, UserInfo>();
    const before = replicas.get(replicaId);
    const info: UserInfo = {
      id: userId,
      replicaId,
      profile: update.profile,
      presence: update.presence !== undefined ? update.presence : (before?.presence ?? {}),
      // The 5.x client reads fields of it without looking whether it is there.
      internal: update.internal ?? before?.internal ?? {},
    };
    replicas.delete(replicaId);
    for (const [id, other] of replicas) if (this.#gone.has(other)) replicas.delete(id);
    replicas.set(replicaId, info);
    // An id costs nothing, and what is announced may be large.
    if (replicas.size > MAX_REPLICAS) replicas.delete([...replicas.keys()][0]!);
    this.#users.set(userId, replicas);
    return info;
  }

  /** What the user's other replicas announced that are still here, oldest first. */
  others(userId: UserId, replicaId: ReplicaId): UserInfo[] {
    return [...(this.#users.get(userId)?.values() ?? [])].filter(
      (info) => info.replicaId !== replicaId && !this.#gone.has(info),
    );
  }

  /** A replica of a user who is still here is gone. Returns what others see instead, where that changes; else null. */
  forget(userId: UserId, replicaId: ReplicaId): UserInfo | null {
    const replicas = this.#users.get(userId);
    const info = replicas?.get(replicaId);
    if (!replicas || !info) return null;
    if (replicas.size === 1) {
      // The user stays present, and nothing newer was announced.
      this.#gone.add(info);
      return null;
    }
    const shown = [...replicas.values()].at(-1) === info;
    replicas.delete(replicaId);
    return shown ? ([...replicas.values()].at(-1) ?? null) : null;
  }

  /** The user is gone. Returns the replica that others saw last; null: none was announced. */
  forgetUser(userId: UserId): ReplicaId | null {
    const shown = [...(this.#users.get(userId)?.keys() ?? [])].at(-1);
    this.#users.delete(userId);
    return shown ?? null;
  }

  /** Everybody, each as the last of their replicas announced it, and `last` after the others. */
  all(last: UserId | null = null): LibraryPresence {
    const all = Object.create(null) as LibraryPresence;
    const show = (userId: UserId) => {
      const shown = [...(this.#users.get(userId)?.values() ?? [])].at(-1);
      if (shown) all[userId] = shown;
    };
    for (const userId of this.#users.keys()) if (userId !== last) show(userId);
    if (last !== null) show(last);
    return all;
  }

  /** What each user's replicas announced, oldest first. */
  announced(): Announced[] {
    return [...this.#users.values()].flatMap((replicas) =>
      [...replicas.values()].map((info) => ({ info, gone: this.#gone.has(info) })),
    );
  }

  /** What was announced before the process began, in the same order. */
  restore(announced: readonly Announced[]): void {
    for (const { info, gone } of announced) {
      const userId = info.id as UserId;
      const replicas = this.#users.get(userId) ?? new Map<ReplicaId, UserInfo>();
      this.#users.set(userId, replicas.set(info.replicaId, info));
      if (gone) this.#gone.add(info);
    }
  }

  clear(): void {
    this.#users.clear();
  }
}
