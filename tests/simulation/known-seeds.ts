export interface KnownSeed {
  seed: number;
  /** What was wrong. */
  what: string;
}

/**
 * Worlds in which something was wrong once. They are run first. A change of the simulation itself makes them other
 * worlds: then they are just worlds, and what they were pinned for is covered by the many others.
 */
export const knownSeeds: readonly KnownSeed[] = [
  { seed: 45, what: 'a reply counted as applied that was not: a sync was delivered twice' },
  { seed: 61, what: 'a reply counted as applied that was not' },
  { seed: 78, what: 'a reply counted as applied that was not' },
  { seed: 108, what: 'an eviction took effect and reported a failure: the old state stayed in memory' },
  { seed: 144, what: 'a reply counted as applied that was not' },
  { seed: 157, what: 'an op over HTTP counted as a promise that nothing older would come' },
  { seed: 160, what: 'an operation was stored twice' },
  { seed: 193, what: 'an op over HTTP counted as a promise that nothing older would come' },
  { seed: 238, what: 'a reply counted as applied that was not' },
  { seed: 290, what: 'two resets on one socket: the second wiped what was written after the first' },
  { seed: 475, what: 'the server had a document otherwise than its replicas' },
  { seed: 492, what: 'a user could not be evicted after a commit of uncertain outcome' },
  { seed: 25, what: 'a sync delivered twice, before and after an eviction, proves a reset' },
  { seed: 2115, what: 'a sync delivered twice, before and after the founding, proves a reset' },
];
