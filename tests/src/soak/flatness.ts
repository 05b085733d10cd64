/** What may be between two windows before a quantity counts as growing: so much of it, and so much in any case. */
interface Slack {
  share: number;
  least: number;
}

export interface Quantity<Sample> {
  name: string;
  value(sample: Sample): number;
  show(value: number): string;
  slack: Slack | null;
}

export interface Row {
  name: string;
  /** The median of each window. */
  medians: string[];
  isFlat: boolean;
  isJudged: boolean;
}

/**
 * Divides samples into equal windows. A quantity is flat where its median in the last window is no more than the slack above its
 * median in the first window after those for warming up. One without slack is told, and not judged.
 */
export function judge<Sample>(
  samples: readonly Sample[],
  { windows, warmUp }: { windows: number; warmUp: number },
  quantities: readonly Quantity<Sample>[],
): Row[] {
  const size = Math.floor(samples.length / windows);
  if (size === 0) throw new Error(`${samples.length} samples are too few for ${windows} windows.`);
  return quantities.map(({ name, value, show, slack }) => {
    const medians = Array.from({ length: windows }, (_, n) =>
      median(samples.slice(n * size, (n + 1) * size).map(value)),
    );
    const first = medians[warmUp]!;
    const limit = slack ? first + Math.max(first * slack.share, slack.least) : Number.POSITIVE_INFINITY;
    return { name, medians: medians.map(show), isFlat: medians.at(-1)! <= limit, isJudged: slack !== null };
  });
}

/** One line for people. */
export const describeRow = ({ name, medians, isFlat, isJudged }: Row): string =>
  `${name.padEnd(30)}${medians.map((text) => text.padStart(8)).join('')}  ${isJudged ? (isFlat ? 'flat' : 'GROWS') : '-'}`;

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
