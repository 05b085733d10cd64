import { capacity } from './capacity.js';
import { fanOut } from './fan-out.js';
import { firstSync } from './first-sync.js';
import { founding } from './founding.js';
import { growth } from './growth.js';
import { hocuspocus } from './hocuspocus.js';
import { idlePoll } from './idle-poll.js';
import { latency } from './latency.js';
import { many } from './many.js';
import { rebase } from './rebase.js';
import { rest } from './rest/rest.js';
import { size } from './size.js';
import type { Work } from './work.js';
import { worker } from './worker.js';
import { workerCost } from './worker-cost.js';

/** The table of goals, row by row. */
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
  growth,
  worker,
  workerCost,
];
