import type { Timestamp } from './ids.js';

/*
 * A client's hybrid logical clock, written as 24 characters that sort in time order:
 *
 *   vvvv mmmmmmmmm cccc nnnnnnn
 *   schema version, wall-clock milliseconds, counter (base 36, zero padded), node id
 *
 * Clients migrate with "zero" timestamps, whose time is 0 and whose counter keeps them apart.
 */
const versionLength = 4;
const msEnd = 13;
const counterEnd = 17;
const timestampLength = 24;
const nodeLength = timestampLength - counterEnd;
const MAX_COUNTER = 36 ** (counterEnd - msEnd) - 1;

/** The parts of a timestamp. */
export interface TimestampParts {
  /** Schema version of the client that wrote it. */
  version: number;
  /** Milliseconds since 1970; 0 in a zero timestamp. */
  ms: number;
  /** Tells apart what one node writes within a millisecond. */
  counter: number;
  /** Up to 7 letters and digits. */
  node: string;
}

/**
 * Whether `value` is a timestamp as clients write them. The numbers are lower-case base 36, as order depends on
 * it. The node id is lower-case base 36 too in all known clients, but any ASCII letter, digit, `-` or `_` will do.
 */
export function isTimestamp(value: unknown): value is Timestamp {
  if (typeof value !== 'string' || value.length !== timestampLength) return false;
  for (let i = 0; i < counterEnd; i++) {
    if (!isBase36(value.charCodeAt(i))) return false;
  }
  for (let i = counterEnd; i < timestampLength; i++) {
    if (!isNodeCharacter(value.charCodeAt(i))) return false;
  }
  return true;
}

/** Wall-clock milliseconds since 1970 of a timestamp. */
export const timestampMs = (timestamp: Timestamp): number =>
  Number.parseInt(timestamp.slice(versionLength, msEnd), 36);

/** Schema version of the client that wrote a timestamp. */
export const timestampVersion = (timestamp: Timestamp): number =>
  Number.parseInt(timestamp.slice(0, versionLength), 36);

/** Whether a timestamp has no time: the mark of a migration's defaults. */
export const isZeroTimestamp = (timestamp: Timestamp): boolean =>
  timestamp.startsWith('000000000', versionLength);

/** Negative, zero or positive as `a` is before, at or after `b`. The order is that of the bytes. */
export const compareTimestamps = (a: Timestamp, b: Timestamp): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Writes a timestamp.
 * @throws RangeError where a part does not fit its place.
 */
export function formatTimestamp({ version, ms, counter, node }: TimestampParts): Timestamp {
  const timestamp =
    base36('version', version, versionLength) +
    base36('ms', ms, msEnd - versionLength) +
    base36('counter', counter, counterEnd - msEnd) +
    node.padStart(nodeLength, '0');
  if (!isTimestamp(timestamp)) throw new RangeError('node must be at most 7 letters and digits');
  return timestamp;
}

/** The first timestamp of `node` that is later than another one, whoever wrote that in the same millisecond. */
export function timestampAfter(timestamp: Timestamp, node: string): Timestamp {
  const counter = Number.parseInt(timestamp.slice(msEnd, counterEnd), 36);
  const isLast = counter === MAX_COUNTER;
  return formatTimestamp({
    version: timestampVersion(timestamp),
    ms: timestampMs(timestamp) + (isLast ? 1 : 0),
    counter: isLast ? 0 : counter + 1,
    node,
  });
}

/**
 * The timestamp itself where it is no later than `maxMs` (milliseconds since 1970); otherwise the first one that its node
 * could have written at `maxMs`. A time that a wrong clock wrote must not be recorded or echoed.
 */
export function clampTimestamp(timestamp: Timestamp, maxMs: number): Timestamp {
  if (timestampMs(timestamp) <= maxMs) return timestamp;
  const ms = base36('maxMs', Math.max(0, Math.floor(maxMs)), msEnd - versionLength);
  return `${timestamp.slice(0, versionLength)}${ms}0000${timestamp.slice(counterEnd)}` as Timestamp;
}

function base36(name: string, value: number, length: number): string {
  const text = value.toString(36).padStart(length, '0');
  if (!Number.isSafeInteger(value) || value < 0 || text.length > length) {
    throw new RangeError(`${name} must be a whole number of at most ${length} base 36 digits, got ${value}`);
  }
  return text;
}

const isBase36 = (code: number): boolean => (code >= 48 && code <= 57) || (code >= 97 && code <= 122);

const isNodeCharacter = (code: number): boolean =>
  isBase36(code) || (code >= 65 && code <= 90) || code === 45 || code === 95;
