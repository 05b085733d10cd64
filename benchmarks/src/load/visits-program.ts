import { build, type Histogram } from 'hdr-histogram-js';
import { createPoller } from './poller.js';

/*
 * Polls of many libraries, one after the other: the first that a library gets opens it.
 */

export interface VisitsLoad {
  base: string;
  /** Numbers of the libraries. */
  libraries: number[];
  /** Whether their only replica polled them before, so that there is nothing new for it. */
  known: boolean;
  atOnce: number;
  /** In each library, the first of which brings an object where it is not known. */
  polls: number;
  /** Each poll has a token that was not seen before. */
  freshTokens?: boolean;
}

export interface VisitsFigures {
  seconds: number;
  firstMs: Quantiles;
  /** Of all polls that came later. */
  laterMs: Quantiles;
}

export interface Quantiles {
  p50: number;
  p99: number;
  max: number;
}

const load = JSON.parse(process.argv[2]!) as VisitsLoad;
const histogram = () => build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000 });
const [first, later] = [histogram(), histogram()];
const started = performance.now();
const libraries = load.libraries.values();

await Promise.all(
  Array.from({ length: load.atOnce }, async () => {
    for (const library of libraries) await visit(`library-${library}`);
  }),
);

async function visit(library: string): Promise<void> {
  const { base, known, atOnce, freshTokens } = load;
  const poller = await createPoller({
    base,
    library,
    user: 'the-visitor',
    connections: atOnce,
    known,
    ...(freshTokens && { freshTokens }),
  });
  for (let poll = 0; poll < load.polls; poll++) {
    const sentAt = performance.now();
    const { brings } = await poller.poll();
    if (brings > 0) throw new Error(`${library} had nothing new for its only replica, and sent something`);
    const took = Math.max(1, Math.round((performance.now() - sentAt) * 1000));
    (poll === 0 ? first : later).recordValue(took);
  }
}

const quantiles = (of: Histogram): Quantiles => {
  const ms = (percentile: number) => of.getValueAtPercentile(percentile) / 1000;
  return { p50: ms(50), p99: ms(99), max: of.maxValue / 1000 };
};
const figures: VisitsFigures = {
  seconds: (performance.now() - started) / 1000,
  firstMs: quantiles(first),
  laterMs: quantiles(later),
};
process.send!(figures, () => process.exit());
