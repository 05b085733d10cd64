import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createClock } from '../load/clock.js';
import { baselinesText, changesText } from '../load/library-content.js';
import type { Subject } from '../server-process.js';
import { summarize } from '../statistics.js';
import { withSeed } from './seed.js';
import type { Case, RunOptions, Work } from './work.js';

/** What a library takes on disk, next to what there is to know of it. */
export const size: Work = {
  name: 'size',
  title: 'size on disk: of a baseline, and of an operation that is not folded',
  goal: 'none: told',
  run: async (options) => {
    const objects = Math.ceil(10_000 * Math.min(1, options.scale));
    const sizes: Record<Subject, Sizes> = {
      ours: await sizesOf('ours', objects),
      floor: await sizesOf('floor', objects),
      original: await sizesOf('original', objects),
    };
    const now = createClock();
    const wire: Sizes = {
      baseline: baselinesText(objects, now).length / objects,
      operation: changesText(objects, objects, now).length / objects,
    };
    return [
      caseOf('a baseline', sizes, wire, 'baseline', options),
      caseOf('an operation', sizes, wire, 'operation', options),
    ];
  },
};

const PROGRAMS = { ours: undefined, floor: 'storing-floor', original: undefined } as const;
const SUBJECTS = Object.keys(PROGRAMS) as Subject[];

/** Bytes of each. */
interface Sizes {
  baseline: number;
  operation: number;
}

/** By two libraries of the same objects, one with as many operations besides. */
async function sizesOf(subject: Subject, objects: number): Promise<Sizes> {
  const bytesWith = (operations: number) =>
    withSeed(subject, PROGRAMS[subject], [{ name: 'library', objects, operations }], async (directory) =>
      bytesIn(directory),
    );
  const baselines = await bytesWith(0);
  const both = await bytesWith(objects);
  return { baseline: baselines / objects, operation: (both - baselines) / objects };
}

function caseOf(
  name: string,
  sizes: Record<Subject, Sizes>,
  wire: Sizes,
  of: keyof Sizes,
  { say }: RunOptions,
): Case {
  const bytes = (subject: Subject) => sizes[subject][of];
  const told = SUBJECTS.map((subject) => `${subject} ${Math.round(bytes(subject))}`).join(', ');
  say(`${name}: ${told} bytes on disk, ${Math.round(wire[of])} on the wire`);
  return {
    name,
    unit: 'bytes on disk for each',
    figures: Object.fromEntries(SUBJECTS.map((subject) => [subject, summarize([bytes(subject)])])),
    goals: [],
    details: Object.fromEntries(SUBJECTS.map((subject) => [subject, [{ wire: wire[of] }]])),
  };
}

/** Of all databases in a folder, when what is in their logs has been copied into them. */
function bytesIn(directory: string): number {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sqlite'))
    .map((name) => join(directory, name));
  return paths.reduce((sum, path) => sum + bytesOf(path), 0);
}

function bytesOf(path: string): number {
  const database = new Database(path);
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  return statSync(path).size;
}
