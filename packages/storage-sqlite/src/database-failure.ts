import Database from 'better-sqlite3';

/**
 * Does something with a database. What the disk, the file system or SQLite fails at is thrown with the name of the file and with
 * what to do; other errors as they are.
 */
export function naming<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw named(path, error);
  }
}

/** As {@link naming}, for an error at hand. */
export function named(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === null || isNamed(error)) return error;
  const [, problem] = PROBLEMS.find(([codes]) => codes.test(code)) ?? [null, `failed: ${String(error)}`];
  return Object.assign(new Error(`${path} ${problem} (${code})`, { cause: error }), { code, path });
}

/** Whether an error says that the content of a database cannot be what was written. */
export function isDamage(error: unknown): boolean {
  return DAMAGE.test(codeOf(error) ?? '');
}

const DAMAGE = /^SQLITE_(CORRUPT|NOTADB|IOERR_(SHORT_READ|READ|CORRUPTFS|DATA))/;

const PROBLEMS: readonly (readonly [codes: RegExp, problem: string])[] = [
  [
    /^(SQLITE_FULL|ENOSPC|EDQUOT)/,
    'could not be written: the disk is full, or a quota is. Changes are refused until there is room; nothing has to be restarted.',
  ],
  [
    DAMAGE,
    'is damaged. Restore it from a backup, or evict what it holds, so that devices bring it back: see docs/operating.md.',
  ],
  [
    /^(SQLITE_READONLY|EROFS)/,
    'cannot be written: it, its folder or the disk is read-only for this process.',
  ],
  [
    /^(SQLITE_CANTOPEN|SQLITE_PERM|SQLITE_AUTH|EACCES|EPERM|EMFILE|ENFILE|ENOENT)/,
    'cannot be opened. See that its folder is there, that this process may read and write both, and that it has file handles left.',
  ],
  [/^(SQLITE_BUSY|SQLITE_LOCKED)/, 'is locked by another program: a backup, or a shell that has it open?'],
  [/^(SQLITE_IOERR|EIO)/, 'could not be read or written: the disk failed.'],
];

/** Of SQLite, or of the system. */
function codeOf(error: unknown): string | null {
  if (error instanceof Database.SqliteError) return error.code;
  const isOfSystem = error instanceof Error && 'errno' in error && 'code' in error;
  return isOfSystem && typeof error.code === 'string' ? error.code : null;
}

const isNamed = (error: unknown): boolean =>
  error instanceof Error && 'path' in error && 'code' in error && !('errno' in error);
