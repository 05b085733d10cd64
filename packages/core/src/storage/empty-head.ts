import type { Head } from './rows.js';

/** Where a library stands that never had a commit. */
export const emptyHead: Head = {
  epoch: 0,
  version: 0,
  founded: false,
  order: 0,
  foldedThrough: 0,
  announcedAck: null,
  latest: null,
  horizon: null,
  soleAuthor: null,
  operations: 0,
  baselines: 0,
};
