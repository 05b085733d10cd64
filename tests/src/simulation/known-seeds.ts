/** Worlds in which something was wrong once, and what it was. They are run first. */
export const knownSeeds: readonly { seed: number; what: string }[] = [];
