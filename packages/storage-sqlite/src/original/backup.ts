import { closeSync, constants, copyFileSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { putInPlace } from '../durable-file.js';
import { sizeOf } from './inspect-file.js';

const COMPARED_AT_ONCE = 1024 * 1024;
/** What turning the log on and off changes in a file's header: its kind, the count of its changes, and by which SQLite. */
const VOLATILE: readonly (readonly [from: number, to: number])[] = [
  [18, 20],
  [24, 28],
  [92, 100],
];

/**
 * Copies a database file that nobody has open and that has no log beside it, durably, and returns the copy's path:
 * `<path>.backup-<date>`. A copy that is there already, from a migration that was killed, is used again: a server that
 * dies and is started over and over must not fill the disk.
 */
export function backUp(path: string, now: number): string {
  const same = backupsOf(path).find((backup) => sameContent(backup, path));
  if (same !== undefined) return same;
  const backup = freeName(`${path}.backup-${new Date(now).toISOString().slice(0, 10)}`);
  const incomplete = `${path}.backing-up`;
  copyFileSync(path, incomplete, constants.COPYFILE_FICLONE);
  putInPlace(incomplete, backup);
  return backup;
}

function backupsOf(path: string): string[] {
  const start = `${basename(path)}.backup-`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(start))
    .map((name) => join(dirname(path), name));
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let count = 2; existsSync(name); count++) name = `${wanted}-${count}`;
  return name;
}

function sameContent(one: string, other: string): boolean {
  const size = sizeOf(one);
  if (size !== sizeOf(other)) return false;
  const files = [openSync(one, 'r'), openSync(other, 'r')] as const;
  try {
    const [a, b] = [Buffer.alloc(COMPARED_AT_ONCE), Buffer.alloc(COMPARED_AT_ONCE)];
    for (let at = 0; at < size; at += COMPARED_AT_ONCE) {
      const read = readSync(files[0], a, 0, COMPARED_AT_ONCE, at);
      readSync(files[1], b, 0, COMPARED_AT_ONCE, at);
      if (at === 0) for (const [from, to] of VOLATILE) for (const bytes of [a, b]) bytes.fill(0, from, to);
      if (a.compare(b, 0, read, 0, read) !== 0) return false;
    }
    return true;
  } finally {
    for (const file of files) closeSync(file);
  }
}
