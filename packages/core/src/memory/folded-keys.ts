import type { ReplicaId, Timestamp } from '@verdant-web/protocol';
import type { OperationKey } from '../storage/rows.js';
import { keyText } from './operation-log.js';

/** The keys of folded operations, by author, until they are dropped. */
export class FoldedKeys {
  readonly #byReplica = new Map<ReplicaId, Map<string, Timestamp>>();

  add(key: OperationKey): void {
    const keys = this.#byReplica.get(key.replicaId) ?? new Map<string, Timestamp>();
    keys.set(keyText(key), key.timestamp);
    this.#byReplica.set(key.replicaId, keys);
  }

  holds(key: OperationKey): boolean {
    return this.#byReplica.get(key.replicaId)?.has(keyText(key)) ?? false;
  }

  drop(replicaId: ReplicaId, through: Timestamp): void {
    const keys = this.#byReplica.get(replicaId);
    if (!keys) return;
    for (const [text, timestamp] of keys) if (timestamp <= through) keys.delete(text);
  }
}
