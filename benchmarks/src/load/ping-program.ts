import { build } from 'hdr-histogram-js';
import type { PingFigures } from './pings.js';
import { connectReplica } from './replica.js';

/*
 * Small writes to a library of its own, each counted from when it was due until it was acknowledged, so that none is
 * left out that waited for one before it.
 */

const EVERY_MS = 10;
const [base] = process.argv.slice(2);
const replica = await connectReplica(base!, 'others', 'somebody-else');
const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000 });
const underWay = new Map<string, number>();

replica.onMessage = ({ type, timestamp }) => {
  const due = underWay.get(timestamp!);
  if (type !== 'server-ack' || due === undefined) return;
  underWay.delete(timestamp!);
  record(due);
};

const record = (due: number) =>
  histogram.recordValue(Math.max(1, Math.round((performance.now() - due) * 1000)));

const ping = (due: number, round: number) => {
  const timestamp = replica.now();
  const data =
    round === 0 ? { op: 'initialize', value: { round } } : { op: 'set', name: 'round', value: round };
  underWay.set(timestamp, due);
  replica.send({ type: 'op', operations: [{ oid: 'pings/one', timestamp, data }], timestamp });
};

const begun = performance.now();
let round = 0;
setInterval(() => {
  for (; begun + round * EVERY_MS < performance.now(); round++) ping(begun + round * EVERY_MS, round);
}, 1);

process.on('message', (asked) => {
  if (asked === 'measure') {
    histogram.reset();
    return;
  }
  // Those that are not answered by now have waited at least so long.
  for (const due of underWay.values()) record(due);
  const ms = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
  const figures: PingFigures = {
    count: histogram.totalCount,
    p50: ms(50),
    p99: ms(99),
    max: histogram.maxValue / 1000,
  };
  process.send!(figures, () => process.exit());
});
process.send!('ready');
