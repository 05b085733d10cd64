import type { LibraryId } from '@verdant-web/protocol';
import { type Oid, type Operation, parseOid, rootOf, type Timestamp } from '@verdant-web/protocol';
import type { Checks } from './checks.js';
import { canonical, documentsOf, mayBeSeenBy } from './objects.js';
import type { ServerHost, ServerProcess } from './server-host.js';
import type { SimulatedReplica } from './simulated-replica.js';
import type { VirtualTime } from './virtual-time.js';

/** An operation or two may wait for the next ack; a history that is not folded shows more. */
const FEW_OPERATIONS = 3;

export interface ReckoningOptions {
  libraryId: LibraryId;
  replicas: readonly SimulatedReplica[];
  host: ServerHost;
  time: VirtualTime;
  checks: Checks;
}

/**
 * Compares, when everybody is at peace, what the server and each replica have with what the accepted operations make, as
 * the oracle applies them.
 */
export class Reckoning {
  /** Documents that on some device are what that makes of everything accepted and of its own changes that it never offered. */
  readonly explained = new Set<Oid>();
  readonly #options: ReckoningOptions;

  constructor(options: ReckoningOptions) {
    this.#options = options;
  }

  async compare(): Promise<void> {
    const { host, checks, replicas, libraryId } = this.#options;
    const process = host.running;
    if (!process) {
      checks.fail('server', 'it is not running');
      return;
    }
    if (!checks.log.head?.founded) return;
    const expected = documentsOf(checks.log.objects());
    await this.#compareServer(expected, process);
    for (const replica of replicas) if (replica.isOpen) this.#compareReplica(expected, replica);
    const info = await this.#ask(() => process.core.get(libraryId).getInfo());
    if (!info || info.operationsCount > FEW_OPERATIONS) {
      checks.fail(
        'compaction',
        `${info?.operationsCount} operations are left, global ack ${info?.globalAck}: ${JSON.stringify(info?.replicas)}`,
      );
    }
  }

  async #compareServer(expected: ReadonlyMap<Oid, string>, process: ServerProcess): Promise<void> {
    const { checks, libraryId } = this.#options;
    const roots = new Set<Oid>(expected.keys());
    for (const { oid } of checks.log.operations) roots.add(rootOf(oid));
    for (const root of roots) {
      const { collection, key } = parseOid(root);
      const document = await this.#ask(() =>
        process.core.get(libraryId).getDocumentSnapshot(collection, key),
      );
      const found = document === null ? undefined : canonical(document);
      if (found !== expected.get(root))
        this.#differs('the server', root, found, expected.get(root), { isExplained: false });
    }
  }

  #compareReplica(expected: ReadonlyMap<Oid, string>, replica: SimulatedReplica): void {
    const found = replica.documents();
    const unheard = this.#unheardOf(replica);
    for (const root of new Set([...found.keys(), ...expected.keys()])) {
      const seen = found.get(root);
      const right = mayBeSeenBy(replica.userId, root) ? expected.get(root) : undefined;
      if (seen === right) continue;
      const own = unheard.filter(({ oid }) => rootOf(oid) === root);
      this.#differs(replica.id, root, seen, right, { isExplained: this.#explains(own, root, seen) });
    }
  }

  /**
   * Whether these make the document what a device sees: in order of time, or on top of what is there, as where the device had
   * folded a deletion and kept nothing that is dated after them.
   */
  #explains(own: readonly Operation[], root: Oid, seen: string | undefined): boolean {
    if (own.length === 0) return false;
    const { log } = this.#options.checks;
    const onTop = own.map((operation) => ({
      ...operation,
      timestamp: `~${operation.timestamp}` as Timestamp,
    }));
    return [own, onTop].some((besides) => documentsOf(log.objects(besides)).get(root) === seen);
  }

  /**
   * What the device has written and the server never heard of. With a clock that falls back, the client dates a change before its
   * last sync, and then never offers it; or folds it before it could. A reader's change is never taken. That the server has not said to
   * have any of it is checked with each of its messages.
   */
  #unheardOf({ database }: SimulatedReplica): Operation[] {
    const { ever } = this.#options.checks.log;
    const { trespasses } = this.#options.checks;
    const unheard = [...database.written].filter(([id]) => !ever.has(id) && !trespasses.has(id));
    return unheard.map(([, operation]) => operation);
  }

  #differs(
    who: string,
    root: Oid,
    found: string | undefined,
    expected: string | undefined,
    { isExplained }: { isExplained: boolean },
  ): void {
    if (isExplained) this.explained.add(root);
    else this.#options.checks.fail('convergence', `${who} has ${root} as ${found}; it should be ${expected}`);
  }

  /** Ask the server something, while time passes. */
  async #ask<Result>(question: () => Promise<Result>): Promise<Result | null> {
    const { time, checks } = this.#options;
    let answer: { result: Result } | null = null;
    question().then(
      (result) => {
        answer = { result };
      },
      (error: unknown) => checks.fail('server', `it cannot say: ${String(error)}`),
    );
    await time.runUntil(time.now() + 10_000, () => answer !== null);
    return (answer as { result: Result } | null)?.result ?? null;
  }
}
