import { formatTimestamp, type Timestamp, timestampMs, timestampVersion } from '@verdant-web/protocol';
import type { Checks } from './checks.js';
import type { Random } from './random.js';
import type { SimulatedReplica } from './simulated-replica.js';
import type { VirtualTime } from './virtual-time.js';
import type { WorldKind } from './world-kind.js';

export interface WrongDatesOptions {
  kind: WorldKind;
  random: Random;
  replicas: readonly SimulatedReplica[];
  time: VirtualTime;
  checks: Checks;
}

/** In worlds of such a kind, has devices date what they write too low now and then, until `end`. */
export function dateWrongly({ kind, random, replicas, time, checks }: WrongDatesOptions, end: number): void {
  if (kind !== 'clocks-set-back' && kind !== 'hostile-dates') return;
  const next = () => {
    if (time.now() >= end) return;
    const replica = random.pick(replicas);
    if (kind === 'clocks-set-back') setBack(replica, random);
    else {
      const ack = checks.log.head?.announcedAck ?? null;
      if (ack !== null) replica.misdate(datesBelow(ack, random));
    }
    time.schedule(random.between(2_000, 40_000), next);
  };
  time.schedule(random.between(2_000, 40_000), next);
}

function setBack(replica: SimulatedReplica, random: Random): void {
  replica.setClockBack(random.between(1_000, random.chance(0.5) ? 10_000 : 60_000));
  // A page keeps its time in memory: until it is loaded again, nothing comes of it.
  if (!replica.isOpen || random.chance(0.3)) return;
  replica.close({ graceful: random.chance(0.5) });
  replica.open();
}

/** Times at the ack, just below it, or long before, each another one. */
function datesBelow(ack: Timestamp, random: Random): () => Timestamp {
  const below = random.pick([0, random.between(1, 1_000), random.between(1_000, 600_000)]);
  const date = { version: timestampVersion(ack), ms: timestampMs(ack) - below, node: random.name(7) };
  let counter = 0;
  return () => formatTimestamp({ ...date, counter: counter++ });
}
