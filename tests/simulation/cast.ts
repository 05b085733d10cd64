import { type LibraryId, type ReplicaId, ReplicaType, type UserId } from '@verdant-web/protocol';
import type { Checks } from './checks.js';
import type { FaultyNetwork } from './faulty-network.js';
import { Random } from './random.js';
import { SimulatedReplica } from './simulated-replica.js';
import type { VirtualTime } from './virtual-time.js';

const MAX_SKEW_MS = 20_000;

export interface CastOptions {
  seed: number;
  libraryId: LibraryId;
  time: VirtualTime;
  network: FaultyNetwork;
  checks: Checks;
  note(who: string, what: string): void;
}

export interface Cast {
  replicas: SimulatedReplica[];
  /** Whether the app's schema changes, and devices migrate what they hold. */
  migrates: boolean;
}

/** Some users with some devices, of which most come early and some late. */
export function chooseCast({ seed, ...options }: CastOptions, without: ReadonlySet<string>): Cast {
  const plan = new Random(seed, 'cast');
  const users = plan.between(1, 4);
  const count = plan.between(2, 6);
  const skewed = plan.chance(0.5);
  const shortReloads = plan.chance(0.4);
  const foldsBeforeFirstSync = plan.chance(0.25);
  const longText = plan.chance(0.1);
  const migrates = new Random(seed, 'migrations').chance(0.2);
  const replicas: SimulatedReplica[] = [];
  for (let index = 0; index < count; index++) {
    const replica = new SimulatedReplica({
      ...options,
      id: `r${index}` as ReplicaId,
      userId: `u${index < users ? index : plan.below(users)}` as UserId,
      type: index === 0 || plan.chance(0.5) ? ReplicaType.Realtime : plan.pick(Object.values(ReplicaType)),
      skewMs: skewed ? plan.between(-MAX_SKEW_MS, MAX_SKEW_MS) : 0,
      minClosedMs: shortReloads ? 0 : skewed ? 2 * MAX_SKEW_MS + 5_000 : 100,
      foldsBeforeFirstSync,
      longText,
      random: new Random(seed, `replica ${index}`),
    });
    replicas.push(replica);
    const comes = plan.chance(0.6) ? plan.below(2_000) : plan.below(90_000);
    if (without.has(replica.id)) continue;
    options.note(replica.id, `is a replica of ${replica.userId}, type ${replica.type}`);
    options.time.schedule(comes, () => replica.open());
  }
  return { replicas, migrates };
}
