import { parseArgs } from 'node:util';
import { readResult } from '../results.js';
import { capacityTable } from './table.js';
import { costsIn } from './unit-costs.js';

/*
 * pnpm --dir benchmarks capacity [--write 150] [--delivery 10] … : what one server carries, from results that are kept,
 * or from what is given, in µs and KiB.
 */

const { values } = parseArgs({
  options: {
    write: { type: 'string' },
    delivery: { type: 'string' },
    heartbeat: { type: 'string' },
    objectTold: { type: 'string' },
    socketKiB: { type: 'string' },
    libraryKiB: { type: 'string' },
    flush: { type: 'string' },
  },
});
console.log(capacityTable(costsIn(values, readResult)));
