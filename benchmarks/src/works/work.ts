import { join } from 'node:path';
import type { AnySubject } from '../server-process.js';
import { type Summary, summarize } from '../statistics.js';

export interface RunOptions {
  /** How often each subject does it. They take turns. */
  runs: number;
  /** Of how long each run takes. */
  scale: number;
  profileDirectory?: string | undefined;
  say: (line: string) => void;
}

/** Where the profile of a server goes, if asked for: `of` is the work, the case, the run and the subject. */
export function profileOf({ profileDirectory }: RunOptions, ...of: (string | number)[]): string | undefined {
  const name = of
    .join(' ')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');
  return profileDirectory && join(profileDirectory, `${name}.cpuprofile`);
}

/** One size of a work, done by each subject. */
export interface Case {
  name: string;
  unit: string;
  figures: Partial<Record<AnySubject, Summary>>;
  goals: Goal[];
  /** What stands behind the figures, run by run. */
  details: Partial<Record<AnySubject, object[]>>;
}

export interface Goal {
  text: string;
  /** What a ratio, never a time, has to reach: more is better. */
  atLeast: number;
  measured: Summary;
}

/** One row of the table of goals. */
export interface Work {
  name: string;
  title: string;
  goal: string;
  run: (options: RunOptions) => Promise<Case[]>;
}

/** Ratios of runs that were neighbours in time, so that what the machine did meanwhile falls on both. */
export const ratios = (ours: readonly number[], theirs: readonly number[]): number[] =>
  ours.map((value, run) => value / theirs[run]!);

/** What is allowed by what was measured, of that which is to be little. Hardly anything counts as a thousandth. */
export const allowed = (text: string, most: number, measured: readonly number[]): Goal => ({
  text,
  atLeast: 1,
  measured: summarize(measured.map((value) => most / Math.max(value, most / 1000))),
});
