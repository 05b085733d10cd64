import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VerdantError } from './errors.js';
import { parseJson } from './parse-json.js';

describe('parseJson', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

  it('[LIMIT-3] parses what JSON.parse parses, up to the depth', () => {
    const text = fc.oneof(fc.constantFrom('"', '\\', '[', '{', '\\"', '\\\\'), fc.string());
    const strange = fc.jsonValue({ stringUnit: 'binary' });
    fc.assert(
      fc.property(
        fc.oneof(strange, fc.array(text), fc.dictionary(text, text)),
        fc.integer({ min: 0, max: 4 }),
        (value, depth) => {
          const json = JSON.stringify(value);
          if (depthOf(value) > depth) expect(() => parseJson(json, depth)).toThrow(VerdantError);
          else expect(parseJson(json, depth)).toEqual(JSON.parse(json));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('refuses any other text with an error of its own', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseJson(text, 8);
        } catch (error) {
          expect(error).toBeInstanceOf(VerdantError);
        }
      }),
    );
    for (const text of ['', '"', '"\\"', '{', '[1,]', 'nope', '\u0000']) {
      expect(() => parseJson(text, 8)).toThrow(VerdantError);
    }
  });

  it('[REFUSE-9] does not quote the text that it refuses', () => {
    expect(() => parseJson('{"a": hunter2', 9)).toThrow(/^not valid JSON$/);
  });

  it('[LIMIT-3] refuses ten million brackets without effort', () => {
    expect(() => parseJson('['.repeat(10_000_000), 64)).toThrow('nested deeper than 64 levels');
    expect(() => parseJson(`"${'['.repeat(10_000_000)}`, 64)).toThrow('not valid JSON');
    expect(parseJson(`"${'['.repeat(1_000)}"`, 0)).toHaveLength(1_000);
  });
});
