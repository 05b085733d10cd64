import { createHash } from 'node:crypto';
import type { LibraryId } from '@verdant-web/protocol';

const EXTENSION = '.sqlite';
/** Leaves room for `.sqlite-wal` below the 255 bytes of most file systems. */
const MAX_LENGTH = 200;
const KEPT_OF_LONG = 100;
const ESCAPED = /^(?:[a-z0-9_.-]|%[0-9a-f]{2}|%u[0-9a-f]{4}|%h[0-9a-f]{64})+$|^%$/;

/** Where a library's rows may be, in the directory of its storage. */
export interface ShardNames {
  /** The file that this server creates. */
  own: string;
  /** The file that the original server would have used, where that is another one: it is looked for first. */
  original: string | null;
}

/**
 * The file names of a library. Ids are user input: whatever the id, `own` is a plain name of ASCII that stays in its
 * directory, and different ids have names that differ on every file system, whether or not it tells `A` from `a`.
 *
 * Lower-case letters, digits, `_`, `-` and inner `.` stand for themselves: such ids keep the name that the original
 * server gave them. All else is escaped (`%41` for `A`, by the bytes of UTF-8; `%ud800` for a lone surrogate), as is
 * the first letter of a name that is reserved on Windows, and a long name ends in a hash.
 */
export function shardNames(id: LibraryId): ShardNames {
  const own = escapeId(id) + EXTENSION;
  const original = couldBeOriginal(id) ? id + EXTENSION : null;
  return { own, original: original === own ? null : original };
}

/** The library that a file is named for; null: none, or one whose id is too long to be in its name. */
export function idNamed(name: string): LibraryId | null {
  if (!name.endsWith(EXTENSION)) return null;
  const stem = name.slice(0, -EXTENSION.length);
  for (const id of [stem, unescapeId(stem)] as LibraryId[]) {
    const { own, original } = shardNames(id);
    if (own === name || original === name) return id;
  }
  return null;
}

/** Undoes {@link escapeId}, but for a hash. */
function unescapeId(stem: string): string {
  if (stem === '%') return '';
  return stem.replace(/%u([0-9a-f]{4})|(?:%[0-9a-f]{2})+/g, (bytes, surrogate: string | undefined) =>
    surrogate === undefined
      ? Buffer.from(bytes.replaceAll('%', ''), 'hex').toString()
      : String.fromCharCode(Number.parseInt(surrogate, 16)),
  );
}

function escapeId(id: string): string {
  // Nothing else is written as a bare `%`.
  if (id === '') return '%';
  const escaped = [...id].map(escapeCharacter).join('');
  const safe = escaped.replace(/^\.|^(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))./, escapeByte);
  if (safe.length <= MAX_LENGTH) return safe;
  // Nothing else has `%h` in it. UTF-16 keeps lone surrogates apart in the hash.
  const hash = createHash('sha256').update(Buffer.from(id, 'utf16le')).digest('hex');
  return `${safe.slice(0, KEPT_OF_LONG)}%h${hash}`;
}

function escapeCharacter(character: string): string {
  if (/^[a-z0-9_.-]$/.test(character)) return character;
  if (/^[\ud800-\udfff]$/.test(character)) return `%u${character.charCodeAt(0).toString(16)}`;
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

const escapeByte = (character: string): string => `%${character.charCodeAt(0).toString(16)}`;

/** Whether `<id>.sqlite` names a file in the directory itself, which is not another library's `own`. */
const couldBeOriginal = (id: string): boolean =>
  !/[/\\\0]|\p{Surrogate}/u.test(id) &&
  !(id.includes('%') && ESCAPED.test(id)) &&
  Buffer.byteLength(id + EXTENSION) <= 255;
