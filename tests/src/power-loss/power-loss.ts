import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../simulation/random.js';
import { inspect } from './aftermath.js';
import { Disk, restore } from './disk.js';
import { isIndex, NOTES, readJournal, type Step } from './journal.js';
import { PromiseBook } from './promise.js';
import type { Recording } from './recording.js';

/** What a run found. */
export interface Findings {
  cuts: number;
  /** Cuts after which something that was promised was not there. */
  withLoss: number;
  /** The first things that were found, and after which cut. */
  lost: Finding[];
  broken: Finding[];
  /** What there was to go wrong. */
  recorded: Recorded;
}

/** How often each of these is in a recording. */
export interface Recorded {
  steps: number;
  /** Logs that were copied into their databases. */
  checkpoints: number;
  evictions: number;
  revocations: number;
  uploads: number;
  /** Baselines that were read after cuts. */
  baselines: number;
}

export interface Finding {
  /** The number of the step that the power was cut before. */
  step: number;
  what: string;
}

const MOST = 10;

/** Cuts the power of what was recorded at `cuts` moments, or at those of `at`, and looks at what is there afterwards. */
export async function cutPower(
  journal: string,
  { recording, cuts, seed, at, folder }: CutOptions,
): Promise<Findings> {
  const steps = [...readJournal(journal)];
  const moments = new Set(at ?? pickMoments(steps, cuts, new Random(seed, 'moments')));
  const findings: Findings = {
    cuts: moments.size,
    withLoss: 0,
    lost: [],
    broken: [],
    recorded: count(steps),
  };
  const disk = new Disk();
  const book = new PromiseBook();
  for (const [number, step] of steps.entries()) {
    if (moments.has(number)) {
      const root = mkdtempSync(join(folder, 'cut-'));
      restore(disk.cut(new Random(seed, `cut ${number}`)), root);
      const { lost, broken, baselines } = await inspect(root, book, recording);
      rmSync(root, { recursive: true, force: true });
      findings.recorded.baselines += baselines;
      if (lost.length > 0) findings.withLoss++;
      findings.lost.push(...lost.map((what) => ({ step: number, what })));
      findings.broken.push(...broken.map((what) => ({ step: number, what })));
      findings.lost.splice(MOST);
      findings.broken.splice(MOST);
    }
    if (step.kind === 'noted') book.take(step.text);
    else disk.take(step);
  }
  return findings;
}

export interface CutOptions {
  recording: Recording;
  cuts: number;
  seed: number;
  /** Numbers of steps, to look at one cut again. */
  at?: readonly number[];
  /** Where to put what is found. */
  folder: string;
}

/** Files that are not as a journal makes them: something was done to them that the recorder does not know. */
export function whatEscaped(journal: string, root: string): string[] {
  const disk = new Disk();
  for (const step of readJournal(journal)) disk.take(step);
  const recorded = disk.now;
  const found = (readdirSync(root, { recursive: true }) as string[]).filter(
    (path) => path !== NOTES && !isIndex(path) && statSync(join(root, path)).isFile(),
  );
  const isAsRecorded = (path: string) => recorded.get(path)?.equals(readFileSync(join(root, path)));
  const gone = [...recorded.keys()].filter((path) => !found.includes(path));
  return [...gone, ...found.filter((path) => !isAsRecorded(path))];
}

function count(steps: readonly Step[]): Recorded {
  const databases = new Set<number>();
  const recorded = {
    steps: steps.length,
    checkpoints: 0,
    evictions: 0,
    revocations: 0,
    uploads: 0,
    baselines: 0,
  };
  for (const step of steps) {
    if (step.kind === 'create' && /\.sqlite(\.new)?$/.test(step.path)) databases.add(step.file);
    if (step.kind === 'sync' && databases.has(step.file)) recorded.checkpoints++;
    if (step.kind !== 'noted') continue;
    if (step.text.includes('"did":"evicted"')) recorded.evictions++;
    if (step.text.includes('"did":"revoked"')) recorded.revocations++;
    if (step.text.includes('"did":"uploaded"')) recorded.uploads++;
  }
  return recorded;
}

/** Any moment, and as often one at which something was just promised or synced. */
function pickMoments(steps: readonly Step[], cuts: number, random: Random): number[] {
  const telling = [...steps.keys()].filter((n) => /noted|sync/.test(steps[n]!.kind)).map((n) => n + 1);
  return Array.from({ length: cuts }, (_, n) => (n % 2 ? random.pick(telling) : random.below(steps.length)));
}
