import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { isDamage } from './database-failure.js';
import { syncNames } from './durable-file.js';
import { kindOfFile, SIDES, sizeOf } from './original/inspect-file.js';

/**
 * Whether the content of a database file, which nobody has open, cannot be what was written. Reads all of it. What may be
 * another program's is not opened, and counts as sound.
 */
export function isDamaged(path: string): boolean {
  if (sizeOf(path) === 0) return sizeOf(`${path}-wal`) > 0;
  if (!statSync(path).isFile()) return false;
  const kind = kindOfFile(path);
  if (kind !== 'ours') return kind === 'no database';
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { fileMustExist: true });
    return db.pragma('quick_check(1)', { simple: true }) !== 'ok';
  } catch (error) {
    return isDamage(error);
  } finally {
    db?.close();
  }
}

/** Renames a database file, and what belongs to it, to `<path>.damaged-<date>`, durably. Returns that name. */
export function setAside(path: string, now: number): string {
  const aside = freeName(`${path}.damaged-${new Date(now).toISOString().slice(0, 10)}`);
  // The file goes first: without its log it might look sound, and old.
  for (const side of ['', ...SIDES]) if (existsSync(path + side)) renameSync(path + side, aside + side);
  rmSync(`${path}-shm`, { force: true });
  syncNames(dirname(path));
  return aside;
}

function freeName(wanted: string): string {
  const isTaken = (name: string) => ['', ...SIDES].some((side) => existsSync(name + side));
  let name = wanted;
  for (let count = 2; isTaken(name); count++) name = `${wanted}-${count}`;
  return name;
}
