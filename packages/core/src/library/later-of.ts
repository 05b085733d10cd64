import type { Timestamp } from '@verdant-web/protocol';

/** The later of two times, where there are two. */
export const laterOf = (a: Timestamp | null, b: Timestamp): Timestamp => (a !== null && a > b ? a : b);
