import { closeSync, constants, copyFileSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { VerdantError, VerdantErrorCode } from '@verdant-web/protocol';
import { APPLICATION_ID } from '@verdant-web/storage-sql';
import Database from 'better-sqlite3';
import { type OriginalLayout, recogniseOriginal } from './layout.js';

export type Inspection = { kind: 'ours' } | { kind: 'original'; layout: OriginalLayout };

/** Where SQLite keeps what is not in the file yet: its log, and what a killed transaction has to be undone with. */
export const SIDES = ['-wal', '-journal'] as const;

/**
 * Whose database a file is. What is neither ours nor of a known layout of the original is refused, and nothing is
 * changed: SQLite would recover its log, and make files beside it. So it is a copy that is opened where that could happen.
 */
export function inspectFile(path: string): Inspection {
  if (!statSync(path).isFile())
    throw refusal(`${path} is not a file`, 'Move it away, or give the storage another path');
  const kind = kindOfFile(path);
  if (kind === 'ours') return { kind };
  if (kind === 'no database') {
    throw refusal(
      `${path} is not a SQLite database`,
      'Where it was one, it is damaged: see docs/operating.md. Else move it away, or give the storage another path',
    );
  }
  if (!mentionsOriginalTables(path)) throw anothersProgram(path);
  const usesLog = readStart(path, 100)[18] === 2;
  return usesLog || SIDES.some((side) => sizeOf(path + side) > 0)
    ? inspectCopy(path)
    : inspectWith(path, path);
}

/** What a file is by its header. */
export function kindOfFile(path: string): 'ours' | 'no database' | 'a database' {
  const header = readStart(path, 100);
  if (header.subarray(0, 16).toString('latin1') !== 'SQLite format 3\0') return 'no database';
  return header.length >= 72 && header.readUInt32BE(68) === APPLICATION_ID ? 'ours' : 'a database';
}

function inspectCopy(path: string): Inspection {
  const copy = `${path}.inspected`;
  const remove = () => {
    for (const side of ['', ...SIDES, '-shm']) rmSync(copy + side, { force: true });
  };
  remove();
  try {
    copyFileSync(path, copy, constants.COPYFILE_FICLONE);
    for (const side of SIDES) if (sizeOf(path + side) > 0) copyFileSync(path + side, copy + side);
    return inspectWith(copy, path);
  } finally {
    remove();
  }
}

function inspectWith(opened: string, path: string): Inspection {
  const db = new Database(opened, { fileMustExist: true, readonly: opened === path });
  try {
    // Migrated, by a server that was killed before the log was copied into the file.
    if (db.pragma('application_id', { simple: true }) === APPLICATION_ID) return { kind: 'ours' };
    const recognition = recogniseOriginal(db);
    if (recognition.kind === 'original') return recognition;
    if (recognition.kind === 'foreign') throw anothersProgram(path);
    throw refusal(
      `${path} looks like a database of the original Verdant server, but not like one that this version can migrate: ${recognition.found}`,
      'Keep serving it with the server that wrote it, and report this; or give the storage another path',
    );
  } finally {
    db.close();
  }
}

const anothersProgram = (path: string): VerdantError =>
  refusal(
    `${path} is a SQLite database of another program`,
    'Move it away, or give the storage another path',
  );

/** The schema is kept as SQL text at the start of a file, or in its log while that was not copied. */
function mentionsOriginalTables(path: string): boolean {
  return [path, `${path}-wal`].some((file) => {
    if (sizeOf(file) === 0) return false;
    const text = readStart(file, 256 * 1024).toString('latin1');
    return text.includes('OperationHistory') || text.includes('ReplicaInfo');
  });
}

/** An error that says what is wrong with a file that was not touched. */
export const refusal = (problem: string, remedy: string): VerdantError =>
  new VerdantError(VerdantErrorCode.Configuration, `${problem}. It was left as it was. ${remedy}.`);

/** 0: there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function readStart(path: string, bytes: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(file, buffer, 0, bytes, 0));
  } finally {
    closeSync(file);
  }
}
