import { HybridLogicalClockTimestampProvider } from '@verdant-web/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Timestamp } from './ids.js';
import {
  clampTimestamp,
  compareTimestamps,
  formatTimestamp,
  isTimestamp,
  isZeroTimestamp,
  timestampAfter,
  timestampMs,
  timestampVersion,
} from './timestamp.js';

const parts = fc.record({
  version: fc.integer({ min: 0, max: 36 ** 4 - 1 }),
  ms: fc.integer({ min: 0, max: 36 ** 9 - 1 }),
  counter: fc.integer({ min: 0, max: 36 ** 4 - 1 }),
  node: fc.stringMatching(/^[0-9a-z]{7}$/),
});
const at = (ms: number, more = {}) =>
  formatTimestamp({ version: 1, ms, counter: 5, node: 'abc1234', ...more });

describe('a timestamp', () => {
  it('[TIME-1] [TIME-4] of a real client is recognised and read', () => {
    const clock = new HybridLogicalClockTimestampProvider();
    const now = clock.now(42) as Timestamp;
    expect(isTimestamp(now)).toBe(true);
    expect(timestampVersion(now)).toBe(42);
    expect(timestampMs(now)).toBe(clock.getWallClockTime(now));
    expect(isZeroTimestamp(now)).toBe(false);
    const zero = clock.zero(3);
    expect(isTimestamp(zero) && isZeroTimestamp(zero) && timestampMs(zero) === 0).toBe(true);
  });

  it('[TIME-1] is written as it is read', () => {
    fc.assert(
      fc.property(parts, (parts) => {
        const timestamp = formatTimestamp(parts);
        expect(isTimestamp(timestamp)).toBe(true);
        expect(timestampMs(timestamp)).toBe(parts.ms);
        expect(timestampVersion(timestamp)).toBe(parts.version);
      }),
    );
  });

  it('[TIME-3] sorts by version, then time, then counter', () => {
    expect(compareTimestamps(at(1), at(2))).toBeLessThan(0);
    expect(compareTimestamps(at(2), at(1))).toBeGreaterThan(0);
    expect(compareTimestamps(at(1), at(1))).toBe(0);
    expect(compareTimestamps(at(9, { version: 1 }), at(1, { version: 2 }))).toBeLessThan(0);
    expect(compareTimestamps(at(35), at(36))).toBeLessThan(0);
    expect(compareTimestamps(at(1, { counter: 35 }), at(1, { counter: 36 }))).toBeLessThan(0);
  });

  it('[TIME-2] is nothing else', () => {
    const good = at(1_700_000_000_000);
    for (const bad of [
      '',
      good.slice(1),
      `${good}0`,
      good.toUpperCase(),
      `${good.slice(0, 23)} `,
      `${good.slice(0, 23)}é`,
      5,
      null,
    ]) {
      expect(isTimestamp(bad)).toBe(false);
    }
    expect(isTimestamp(`${good.slice(0, 17)}Node-_9`)).toBe(true);
  });

  it('cannot be written from parts that do not fit', () => {
    expect(() => at(36 ** 9)).toThrow(RangeError);
    expect(() => at(-1)).toThrow(RangeError);
    expect(() => at(1.5)).toThrow(RangeError);
    expect(() => at(1, { version: 36 ** 4 })).toThrow(RangeError);
    expect(() => at(1, { node: 'too-long' })).toThrow(RangeError);
    expect(at(1, { node: 'a' }).endsWith('000000a')).toBe(true);
  });

  it('is followed by a next one, of whichever node', () => {
    expect(timestampAfter(at(5), 'zzzzzzz')).toBe(at(5, { counter: 6, node: 'zzzzzzz' }));
    expect(timestampAfter(at(5, { counter: 36 ** 4 - 1 }), '0')).toBe(at(6, { counter: 0, node: '0' }));
    fc.assert(
      fc.property(parts, (parts) => {
        fc.pre(parts.ms < 36 ** 9 - 1);
        const timestamp = formatTimestamp(parts);
        expect(timestampAfter(timestamp, '0') > timestamp).toBe(true);
      }),
    );
  });

  it('[TIME-5] is clamped to a latest time, as the same node would have written it', () => {
    const late = at(2_000);
    expect(clampTimestamp(late, 2_000)).toBe(late);
    expect(clampTimestamp(late, 1_999.9)).toBe(at(1_999, { counter: 0 }));
    expect(clampTimestamp(late, -5)).toBe(at(0, { counter: 0 }));
  });
});
