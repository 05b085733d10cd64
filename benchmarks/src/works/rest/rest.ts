import type { Work } from '../work.js';
import { evictedLibraries } from './evicted-libraries.js';
import { idleSockets } from './idle-sockets.js';
import { openingLibraries } from './opening.js';

/** What there is to pay where nothing happens. */
export const rest: Work = {
  name: 'rest',
  title: 'cost at rest',
  goal: '10 k idle sockets ≤ 15 KB each; an evicted library 0 bytes (≤ 64 as measured); opening one of 10 k ≤ 5 ms',
  run: async (options) => [
    ...(await idleSockets(options)),
    await evictedLibraries(options),
    await openingLibraries(options),
  ],
};
