import type { Oid } from './ids.js';

/** The parts of an object id, unescaped. */
export interface OidParts {
  collection: string;
  /** The document's primary key. */
  key: string;
  /** What tells a nested object from others of its document; null for the document's root. */
  nested: string | null;
}

/**
 * Whether `value` has the shape `collection/key` or `collection/key:nested`.
 * @param maxLength in UTF-16 code units; unlimited when left out.
 */
export function isOid(value: unknown, maxLength = Number.POSITIVE_INFINITY): value is Oid {
  if (typeof value !== 'string' || value.length > maxLength) return false;
  const slash = value.indexOf('/');
  // An empty key is an app's own choice; a collection is always named.
  return slash > 0 && slash < endOfRoot(value);
}

/**
 * The id of the document that an object belongs to: the part before `:`. Very old clients wrote the path of a nested
 * object before it (`todos/1.items:a1b2`), which goes too: in a key of today, `.` is escaped.
 */
export const rootOf = (oid: Oid): Oid => {
  const end = endOfRoot(oid);
  return end === oid.length ? oid : (oid.slice(0, end) as Oid);
};

/** Whether an object is the root of its document. */
export const isRoot = (oid: Oid): boolean => endOfRoot(oid) === oid.length;

/** The id of a document's root object. */
export const documentOid = (collection: string, key: string): Oid =>
  `${escapeSegment(collection)}/${escapeSegment(key)}` as Oid;

/** Takes an object id apart. */
export function parseOid(oid: Oid): OidParts {
  const root = rootOf(oid);
  const slash = root.indexOf('/');
  const colon = oid.indexOf(':');
  return {
    collection: unescapeSegment(root.slice(0, slash)),
    key: unescapeSegment(root.slice(slash + 1)),
    nested: colon === -1 ? null : oid.slice(colon + 1),
  };
}

function endOfRoot(oid: string): number {
  const colon = oid.indexOf(':');
  const dot = oid.indexOf('.');
  if (colon === -1) return dot === -1 ? oid.length : dot;
  return dot === -1 || dot > colon ? colon : dot;
}

const escapes: Record<string, string> = { '.': '&dot;', '/': '&slash;', ':': '&colon;' };
const characters: Record<string, string> = { '&dot;': '.', '&slash;': '/', '&colon;': ':' };

const escapeSegment = (text: string): string => text.replace(/[./:]/g, (character) => escapes[character]!);

const unescapeSegment = (text: string): string =>
  text.replace(/&(?:dot|slash|colon);/g, (placeholder) => characters[placeholder]!);
