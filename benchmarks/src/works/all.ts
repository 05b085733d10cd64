import { capacity } from './capacity.js';
import { fanOut } from './fan-out.js';
import { firstSync } from './first-sync.js';
import { founding } from './founding.js';
import { hocuspocus } from './hocuspocus.js';
import { idlePoll } from './idle-poll.js';
import { latency } from './latency.js';
import { many } from './many.js';
import { rebase } from './rebase.js';
import { rest } from './rest/rest.js';
import { size } from './size.js';
import type { Work } from './work.js';

/** The table of goals, row by row. A row without `run` waits for its benchmark. */
export const works: readonly Work[] = [
  fanOut,
  latency,
  many,
  firstSync,
  founding,
  idlePoll,
  rebase,
  rest,
  size,
  capacity,
  hocuspocus,
  {
    name: 'growth',
    title: 'growth: each of the above at 1×, 10×, 100×',
    goal: 'time per unit flat within 20 %',
  },
];
