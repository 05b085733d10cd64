import { readFileSync } from 'node:fs';

/** What a process did to the files below a folder, in the order in which it did it. Paths are from that folder. */
export type Step =
  | { kind: 'create'; file: number; path: string }
  | { kind: 'write'; file: number; at: number; bytes: Buffer }
  | { kind: 'truncate'; file: number; size: number }
  /** Of everything written to the file so far the process was told that it is on disk. */
  | { kind: 'sync'; file: number }
  /** Likewise of names in the folder: those that were given, changed and removed. */
  | { kind: 'sync-folder'; path: string }
  | { kind: 'rename'; from: string; to: string }
  | { kind: 'remove'; path: string }
  | { kind: 'make-folder'; path: string }
  /** The process noted what the world outside had been told by then. */
  | { kind: 'noted'; text: string };

/** The file in which a recorded process notes what the world outside was told. No loss of power takes that back. */
export const NOTES = '.told';

const HEADER_BYTES = 24;

/** Reads what `recorder.c` wrote. A process that was killed may have left half a step at the end. */
export function* readJournal(path: string): Iterable<Step> {
  const journal = readFileSync(path);
  const files = { notes: -1, ignored: new Set<number>() };
  for (let at = 0; at + HEADER_BYTES <= journal.length; ) {
    const length = Number(journal.readBigUInt64LE(at + 16));
    const bytes = journal.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (bytes.length < length) return;
    const step = readStep({
      kind: journal.readUInt32LE(at),
      file: journal.readUInt32LE(at + 4),
      at: Number(journal.readBigUInt64LE(at + 8)),
      bytes,
    });
    at += HEADER_BYTES + length;
    const seen = withoutOwn(step, files);
    if (seen) yield seen;
  }
}

/** As in `recorder.c`. */
interface Entry {
  kind: number;
  file: number;
  at: number;
  bytes: Buffer;
}

function readStep({ kind, file, at, bytes }: Entry): Step {
  switch (kind) {
    case 1:
      return { kind: 'create', file, path: bytes.toString() };
    case 2:
      return { kind: 'write', file, at, bytes };
    case 3:
      return { kind: 'truncate', file, size: at };
    case 4:
      return { kind: 'sync', file };
    case 5:
      return { kind: 'sync-folder', path: bytes.toString() };
    case 6: {
      const [from, to] = bytes.toString().split('\0') as [string, string];
      return { kind: 'rename', from, to };
    }
    case 7:
    case 9:
      return { kind: 'remove', path: bytes.toString() };
    case 8:
      return { kind: 'make-folder', path: bytes.toString() };
    default:
      throw new Error(`The journal has a step of kind ${kind}`);
  }
}

/** Null: of no interest. Notes are told apart, and the index of a log is memory that only looks like a file. */
function withoutOwn(step: Step, files: { notes: number; ignored: Set<number> }): Step | null {
  if (step.kind === 'create') {
    if (step.path === NOTES) files.notes = step.file;
    if (step.path === NOTES || isIndex(step.path)) files.ignored.add(step.file);
  }
  if ('file' in step && files.ignored.has(step.file)) {
    return step.kind === 'write' && step.file === files.notes
      ? { kind: 'noted', text: step.bytes.toString() }
      : null;
  }
  return step.kind === 'remove' && isIndex(step.path) ? null : step;
}

/** SQLite's `-shm`: made anew by the first who opens the database. */
export const isIndex = (path: string): boolean => path.endsWith('-shm');
