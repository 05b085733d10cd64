import { fanOut } from './fan-out.js';
import { idlePoll } from './idle-poll.js';
import { latency } from './latency.js';
import { many } from './many.js';
import { rest } from './rest/rest.js';
import type { Work } from './work.js';

/** The table of goals, row by row. A row without `run` waits for its benchmark. */
export const works: readonly Work[] = [
  fanOut,
  latency,
  many,
  {
    name: 'first-sync',
    title: 'first sync: 1 k, 10 k, 100 k, 1 M objects, socket and HTTP',
    goal: '≥ 50 % of streaming the same bytes from SQLite; extra RSS ≤ 64 MB; others’ p99 ≤ 50 ms',
  },
  {
    name: 'founding',
    title: 'founding sync: 10 k, 100 k objects in one message',
    goal: '≤ 2 × parse + one bulk insert of the same; others’ p99 ≤ 50 ms',
  },
  idlePoll,
  {
    name: 'rebase',
    title: 'rebase: 100 k operations over 10 k objects',
    goal: 'no event-loop stall over 20 ms; linear',
  },
  rest,
  {
    name: 'growth',
    title: 'growth: each of the above at 1×, 10×, 100×',
    goal: 'time per unit flat within 20 %',
  },
];
